// Package browser starts a real browser for tests of the NOC page.
package browser

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

const (
	// patience is how long a test may use one browser.
	patience = 2 * time.Minute
	// soon is how long a page may take to become what a test waits for.
	soon = 20 * time.Second
)

// New starts a headless Chromium with a profile of its own and gives the context
// of its first tab, for the functions of this package and of chromedp. The browser reaches this machine alone and
// ends with the test. Without Chromium the test fails: `make test` installs it.
func New(t testing.TB) context.Context {
	t.Helper()
	path := find()
	if path == "" {
		t.Fatal("browser: no chromium in PATH: `make test` installs it (on Debian: apt-get install chromium)")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path),
		chromedp.UserDataDir(t.TempDir()),
		chromedp.NoSandbox, // tests run as root in CI, where the sandbox does not start
		chromedp.DisableGPU,
		chromedp.WindowSize(1280, 800),
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true),
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost"),
	)
	deadline, stop := context.WithTimeout(context.Background(), patience)
	allocator, end := chromedp.NewExecAllocator(deadline, options...)
	tab, closeTab := chromedp.NewContext(allocator)
	t.Cleanup(func() {
		closeTab()
		end()
		stop()
	})
	if err := chromedp.Do(tab); err != nil {
		t.Fatalf("browser: start %s: %v", path, err)
	}
	return tab
}

func find() string {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

// Do runs the steps in the tab; a failure ends the test.
func Do(t testing.TB, tab context.Context, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(tab, steps...); err != nil {
		t.Fatalf("browser: %v", err)
	}
}

// Eval gives the value of a JavaScript expression.
func Eval[T any](t testing.TB, tab context.Context, expression string) T {
	t.Helper()
	v, err := chromedp.Run(tab, chromedp.Evaluate[T](expression))
	if err != nil {
		t.Fatalf("browser: %s: %v", expression, err)
	}
	return v
}

// Until waits until a JavaScript expression is true; if it does not become so soon,
// the test ends with what the page then shows.
func Until(t testing.TB, tab context.Context, expression string) {
	t.Helper()
	_, err := chromedp.Run(tab, chromedp.Poll[chromedp.Void](expression,
		chromedp.WithPollingInterval(50*time.Millisecond), chromedp.WithPollingTimeout(soon)))
	if err != nil {
		t.Fatalf("browser: wait for %s: %v\nthe page shows:\n%s", expression, err, Eval[string](t, tab, "document.body.innerText"))
	}
}

// Look sets the size of the tab and the colour scheme, "dark" or "light", that the
// reader prefers. Animations are off.
func Look(t testing.TB, tab context.Context, width, height int64, scheme string) {
	t.Helper()
	Do(t, tab, chromedp.EmulateViewport(width, height))
	_, err := chromedp.Call(tab, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: scheme},
		{Name: "prefers-reduced-motion", Value: "reduce"},
	}})
	if err != nil {
		t.Fatalf("browser: set colour scheme: %v", err)
	}
}

// Screenshot writes what the tab shows as name.png into the folder that the
// environment variable TAPWATCH_SCREENSHOTS names; without it nothing is written.
func Screenshot(t testing.TB, tab context.Context, name string) {
	t.Helper()
	folder := os.Getenv("TAPWATCH_SCREENSHOTS")
	if folder == "" {
		return
	}
	image, err := chromedp.Run(tab, chromedp.CaptureScreenshot())
	if err != nil {
		t.Fatalf("browser: screenshot %s: %v", name, err)
	}
	if err := os.WriteFile(filepath.Join(folder, name+".png"), image, 0o644); err != nil {
		t.Fatalf("browser: screenshot %s: %v", name, err)
	}
}
