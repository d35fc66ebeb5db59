package e2e

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"tapwatch/alert"
	"tapwatch/internal/browser"
	"tapwatch/internal/testkit"
	"tapwatch/storage/embedded"
)

// TestDemo is what someone does who has just cloned the repository: start the demo,
// see the alert in the terminal, read it on the page, through the API and in SQL, end
// it with Ctrl-C, and start it again.
func TestDemo(t *testing.T) {
	program := build(t)
	dir := t.TempDir()
	d := startDemo(t, program, dir)

	d.await(t, "ALERT CRITICAL: ", time.Minute)
	t.Logf("the first alert came %s after the start", time.Since(d.started).Round(time.Second))

	var list struct{ Alerts []alert.Alert }
	d.getJSON(t, "/api/v1/alerts", &list)
	if len(list.Alerts) == 0 {
		t.Fatal("the API lists no alert")
	}
	first := list.Alerts[len(list.Alerts)-1]
	if first.Asset.Asset != "mdf3-1" || first.Asset.ZoneKind != "lawful-intercept" || first.Severity != alert.Critical {
		t.Errorf("the first alert is about %+v, severity %s", first.Asset, first.Severity)
	}
	t.Run("page", func(t *testing.T) { readOnPage(t, d.console, first) })
	t.Run("sql", func(t *testing.T) { readInSQL(t, program, dir, first) })
	t.Run("doctor", func(t *testing.T) {
		out := d.call(t, program, "doctor")
		if n := strings.Count(out, "127.1."); n < 12 || !strings.Contains(out, "pe1.east") {
			t.Errorf("doctor names %d exporters:\n%s", n, out)
		}
	})
	t.Run("replay beside it", func(t *testing.T) {
		fixture, err := filepath.Abs("../fixtures/softflowd-netflow9.pcap")
		if err != nil {
			t.Fatal(err)
		}
		if out := d.call(t, program, "replay", fixture); !strings.Contains(out, "72 flow records") {
			t.Errorf("replay says:\n%s", out)
		}
	})

	engine, ok := embedded.Running(filepath.Join(dir, "data/demo/clickhouse"))
	if !ok {
		t.Fatal("no engine runs")
	}
	d.interrupt(t)
	if err := syscall.Kill(engine.PID, 0); err == nil {
		t.Errorf("the engine, process %d, outlives the demo", engine.PID)
	}

	again := startDemo(t, program, dir)
	list.Alerts = nil
	again.getJSON(t, "/api/v1/alerts", &list)
	found := false
	for _, a := range list.Alerts {
		found = found || a.ID == first.ID
	}
	if !found {
		t.Errorf("the second start does not know alert %s", first.ID)
	}
	again.interrupt(t)
}

// readOnPage opens the page in a browser, finds the alert and opens it.
func readOnPage(t *testing.T, console string, a alert.Alert) {
	tab := browser.New(t)
	complaints := browser.Watch(t, tab)
	browser.Look(t, tab, 1280, 800, "dark")
	browser.Do(t, tab, chromedp.Navigate("http://"+console+"/"))
	browser.Until(t, tab, fmt.Sprintf("document.body.innerText.includes(%q)", a.Title))
	browser.Screenshot(t, tab, "demo-list")
	browser.Do(t, tab, chromedp.Navigate("http://"+console+"/#/alerts/"+a.ID))
	for _, text := range []string{a.Asset.Asset, a.Peer.Addr.String(), a.Reasons[0], a.NextSteps[0], "FROM watched_flows"} {
		browser.Until(t, tab, fmt.Sprintf("document.body.innerText.includes(%q)", text))
	}
	browser.Screenshot(t, tab, "demo-alert")
	if all := complaints.All(); len(all) > 0 {
		t.Errorf("the browser complains: %q", all)
	}
}

// readInSQL asks for the alert, and runs the query that it carries.
func readInSQL(t *testing.T, program, dir string, a alert.Alert) {
	d := &demo{dir: dir}
	out := d.call(t, program, "sql", "--format", "csv", fmt.Sprintf("SELECT severity, title FROM alerts WHERE id = '%s'", a.ID))
	if !strings.Contains(out, "critical") || !strings.Contains(out, a.Peer.Addr.String()) {
		t.Errorf("sql says:\n%s", out)
	}
	if rows := strings.Count(d.call(t, program, "sql", "--format", "json", a.SQL), "\n"); rows == 0 {
		t.Errorf("the alert's own query gives no flows:\n%s", a.SQL)
	}
}

// build builds the program as `make build` does.
func build(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "tapwatch")
	if out, err := exec.Command("go", "build", "-o", program, "tapwatch/cmd/tapwatch").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return program
}

// demo is a running `tapwatch demo`.
type demo struct {
	dir     string
	cmd     *exec.Cmd
	started time.Time
	console string
	lines   chan string
	errs    syncBuffer
}

var pageAddress = regexp.MustCompile(`The NOC page:\s+http://([^/]+)/`)

// startDemo starts the demo in dir and waits until it says where the page is.
func startDemo(t *testing.T, program, dir string) *demo {
	t.Helper()
	library, err := embedded.FindLibrary("")
	if err != nil {
		t.Fatal(err)
	}
	geo, err := filepath.Abs("../../build/geo")
	if err != nil {
		t.Fatal(err)
	}
	d := &demo{dir: dir, started: time.Now(), lines: make(chan string, 1000)}
	d.cmd = exec.Command(program, "demo", "--console", "127.0.0.1:0", "--collector", "127.0.0.1:0", "--geo", geo)
	d.cmd.Dir = dir
	d.cmd.Env = append(os.Environ(), embedded.LibraryEnv+"="+library)
	d.cmd.Stderr = &d.errs
	out, err := d.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := d.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.cmd.Process.Kill() }) // a no-op once it has ended
	go d.read(out)
	line := d.await(t, "The NOC page:", time.Minute)
	d.console = pageAddress.FindStringSubmatch(line)[1]
	return d
}

func (d *demo) read(out io.Reader) {
	defer close(d.lines)
	for s := bufio.NewScanner(out); s.Scan(); {
		d.lines <- s.Text()
	}
}

// await reads the terminal until a line holds the text.
func (d *demo) await(t *testing.T, text string, within time.Duration) string {
	t.Helper()
	deadline := time.After(within)
	var seen strings.Builder
	for {
		select {
		case line, ok := <-d.lines:
			if !ok {
				t.Fatalf("the demo ended before it said %q. It said:\n%s%s", text, seen.String(), d.errs.String())
			}
			fmt.Fprintln(&seen, line)
			if strings.Contains(line, text) {
				return line
			}
		case <-deadline:
			t.Fatalf("the demo did not say %q within %s. It said:\n%s%s", text, within, seen.String(), d.errs.String())
		}
	}
}

// call runs another command on the demo's configuration and gives what it prints.
func (d *demo) call(t *testing.T, program string, args ...string) string {
	t.Helper()
	cmd := exec.Command(program, append([]string{"--config", "data/demo/tapwatch.yaml"}, args...)...)
	cmd.Dir = d.dir
	var errs strings.Builder
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("tapwatch %s: %v\n%s", strings.Join(args, " "), err, errs.String())
	}
	return string(out)
}

func (d *demo) getJSON(t *testing.T, path string, v any) {
	t.Helper()
	var body string
	testkit.Eventually(t, path+" answers 200", func() bool {
		var status int
		status, body = get(t, "http://"+d.console+path)
		return status == http.StatusOK
	})
	if err := json.Unmarshal([]byte(body), v); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

// interrupt is Ctrl-C.
func (d *demo) interrupt(t *testing.T) {
	t.Helper()
	if err := d.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	d.await(t, "stopped; ", time.Minute)
	if err := d.cmd.Wait(); err != nil {
		t.Errorf("the demo ended with %v:\n%s", err, d.errs.String())
	}
}
