package console_test

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/prometheus/client_golang/prometheus"

	"tapwatch/alert"
	"tapwatch/internal/browser"
)

//go:embed testdata/contrast.js
var contrast string

// sampled is a console with something of everything to show.
func sampled(now time.Time) *fixture {
	f := newFixture()
	for _, a := range []alert.Alert{tunnel(now), silent(now), listed(now), sshFromAbroad(now)} {
		f.alerts.put(a)
	}
	f.exporters.set(sampleExporters(now)...)
	f.quiet.silences = []alert.Silence{{
		ID: "9f2c4e6a8b0d1f35", Asset: "bras-7", Reason: "replacement of its line cards", Owner: "access", CreatedAt: now.Add(-time.Hour), ExpiresAt: now.Add(7 * time.Hour),
	}}
	f.quiet.approvals = []alert.Approval{{
		ID: "1b3d5f7092a4c6e8", AlertID: "gone", Title: "10.20.0.9 opened SSH to hss-1", Client: netip.MustParseAddr("10.20.0.9"), Server: netip.MustParseAddr("10.40.1.10"),
		ServerAsset: "hss-1", Protocol: 6, Port: 22, Owner: "core", Reason: "new jump host", Ticket: "CHG-2001", CreatedAt: now.Add(-time.Hour), ExpiresAt: now.Add(48 * time.Hour),
	}}
	return f
}

func visit(t *testing.T, tab context.Context, url string) {
	t.Helper()
	browser.Do(t, tab, chromedp.Navigate(url))
	browser.Until(t, tab, `document.querySelector('#connection').dataset.state === 'live'`)
}

func rows(t *testing.T, tab context.Context) int {
	t.Helper()
	return browser.Eval[int](t, tab, `document.querySelectorAll('#list .row').length`)
}

// clean fails the test if the page complained.
func clean(t *testing.T, c *browser.Complaints) {
	t.Helper()
	for _, what := range c.All() {
		t.Error(what)
	}
}

func TestPageLooks(t *testing.T) {
	f := sampled(time.Now())
	base, _ := f.start(t)
	tab := browser.New(t)
	complaints := browser.Watch(t, tab)
	for _, size := range [][2]int64{{1280, 800}, {1920, 1080}} {
		for _, scheme := range []string{"dark", "light"} {
			browser.Look(t, tab, size[0], size[1], scheme)
			for name, path := range map[string]string{
				"overview": "#/", "alert": "#/alerts/5f0c1b7e2a9d4463", "intel": "#/alerts/a41d07c9e86b2f15",
				"silent": "#/alerts/0be9d1f27734ac58", "exporters": "#/exporters",
			} {
				visit(t, tab, base+"/"+path)
				browser.Until(t, tab, `document.querySelectorAll('#list .row').length === 4`)
				browser.Until(t, tab, `document.querySelector('.status, .alert, .tiles ~ .summary') !== null`)
				if wide := browser.Eval[bool](t, tab, `document.documentElement.scrollWidth > innerWidth`); wide {
					t.Errorf("%s at %d: the page is wider than the window", name, size[0])
				}
				for _, pale := range browser.Eval[[]string](t, tab, contrast) {
					t.Errorf("%s, %s: too little contrast, %s", name, scheme, pale)
				}
				browser.Screenshot(t, tab, fmt.Sprintf("%s-%d-%s", name, size[0], scheme))
			}
		}
	}
	clean(t, complaints)
}

func TestPageShowsAlertLive(t *testing.T) {
	f := newFixture()
	f.exporters.set(sampleExporters(time.Now())...)
	base, _ := f.start(t)
	tab := browser.New(t)
	complaints := browser.Watch(t, tab)
	visit(t, tab, base)
	browser.Until(t, tab, `document.querySelector('#list-empty').innerText.includes('5 exporters')`)

	now := time.Now()
	f.publish(listed(now))
	browser.Until(t, tab, `document.querySelector('#list').innerText.includes('salt-typhoon-2025')`)
	a := f.publish(sshFromAbroad(now))
	browser.Until(t, tab, `document.querySelector('#list .title').innerText.includes('203.0.113.34')`)
	browser.Until(t, tab, `document.querySelector('#announce').textContent.includes('New critical alert: 203.0.113.34')`)

	browser.Do(t, tab, chromedp.Click(`#list .row[data-id="5f0c1b7e2a9d4463"]`))
	// The page hears of its new address a moment later.
	browser.Until(t, tab, `document.querySelector('#detail article')?.dataset.id === '5f0c1b7e2a9d4463'`)
	text := browser.Eval[string](t, tab, `document.querySelector('#detail').innerText`)
	for _, want := range append([]string{
		a.Title, a.Summary, a.SQL, "mdf3-1", "role mdf3", "li-east", "lawful-intercept", "Seychelles (SC)", "AS64496 Example Offshore Hosting Ltd",
		"opened by the peer", "TCP 22", "SSH", "214", "12.6 MB", "1.84 GB", "47 min ago", "pe2.east (10.30.0.2)", "T1133", "Enterprise 17.1",
		a.FirstSeen.UTC().Format("2006-01-02 15:04:05 UTC"), a.Quality[0],
	}, append(a.Reasons, a.NextSteps...)...) {
		if !strings.Contains(text, want) {
			t.Errorf("the alert in full does not show %q", want)
		}
	}
	if n := browser.Eval[int](t, tab, `document.querySelectorAll('#detail .dot.critical').length`); n != 1 {
		t.Errorf("%d marks on the map, want 1", n)
	}

	a.Flows, a.Severity = 300, alert.Critical
	f.publish(a)
	browser.Until(t, tab, `document.querySelector('#detail .facts').innerText.includes('300')`)
	if n := rows(t, tab); n != 2 {
		t.Errorf("%d rows after an update in place, want 2", n)
	}
	clean(t, complaints)
}

func TestPageShowsHostileTextAsText(t *testing.T) {
	f := newFixture()
	base, _ := f.start(t)
	tab := browser.New(t)
	complaints := browser.Watch(t, tab)
	visit(t, tab, base)
	f.publish(hostile(time.Now()))
	browser.Until(t, tab, `document.querySelector('#list .title')?.textContent.startsWith('<script>')`)
	browser.Do(t, tab, chromedp.Click(`#list .row`))
	browser.Until(t, tab, `document.querySelector('#detail pre')?.textContent.startsWith('<script>')`)
	browser.Do(t, tab, chromedp.Reload())
	browser.Until(t, tab, `document.querySelector('#detail pre')?.textContent.startsWith('<script>')`)
	if browser.Eval[bool](t, tab, `window.pwned === 1 || document.querySelectorAll('body script, main img').length > 0`) {
		t.Error("text from an alert became markup")
	}
	browser.Screenshot(t, tab, "hostile")
	clean(t, complaints)
}

func TestPageResumesAfterRestart(t *testing.T) {
	now := time.Now()
	f := newFixture()
	f.alerts.put(tunnel(now))
	base, stop := f.start(t)
	tab := browser.New(t)
	visit(t, tab, base)
	// Count every alert event that the page gets from here on.
	browser.Do(t, tab, chromedp.Evaluate[chromedp.Void](`
		window.changes = []
		new MutationObserver(all => all.forEach(m => m.addedNodes.forEach(n => {
			const row = n.classList?.contains('row') ? n : n.querySelector?.('.row')
			if (row) changes.push(row.dataset.id)
		}))).observe(document.querySelector('#list'), { childList: true, subtree: true }), undefined`))
	f.publish(silent(now))
	browser.Until(t, tab, `changes.length === 1`)

	stop()
	browser.Until(t, tab, `document.querySelector('#connection').dataset.state === 'reconnecting'`)
	browser.Screenshot(t, tab, "reconnecting")
	f.alerts.put(listed(now)) // raised while the page was away
	// At first the new process refuses streams, and the page must try anew by itself.
	f.alerts.fail(errors.New("not ready"))
	f.registry = prometheus.NewRegistry() // a new process
	f.start(t)
	f.alerts.await(t, 1)
	f.alerts.fail(nil)
	browser.Until(t, tab, `document.querySelector('#connection').dataset.state === 'live'`)
	f.publish(sshFromAbroad(now))
	browser.Until(t, tab, `changes.length >= 3`)
	got := browser.Eval[string](t, tab, `changes.join(' ')`)
	if want := strings.Join([]string{silent(now).ID, listed(now).ID, sshFromAbroad(now).ID}, " "); got != want {
		t.Errorf("the page got %s, want %s", got, want)
	}
	f.alerts.mu.Lock()
	defer f.alerts.mu.Unlock()
	last := f.alerts.queries[len(f.alerts.queries)-1]
	if last.AfterVersion != 2 {
		t.Errorf("the page resumed after version %d, want 2", last.AfterVersion)
	}
}

func TestPageKeyboard(t *testing.T) {
	f := sampled(time.Now())
	base, _ := f.start(t)
	tab := browser.New(t)
	complaints := browser.Watch(t, tab)
	visit(t, tab, base)
	browser.Until(t, tab, `document.querySelectorAll('#list .row').length === 4`)
	ids := browser.Eval[[]string](t, tab, `[...document.querySelectorAll('#list .row')].map(r => r.dataset.id)`)
	press := func(keys string) { t.Helper(); browser.Do(t, tab, chromedp.KeyEvent(keys)) }
	focused := func(id string) { t.Helper(); browser.Until(t, tab, `document.activeElement.dataset.id === '`+id+`'`) }
	open := func(hash string) { t.Helper(); browser.Until(t, tab, `location.hash === '`+hash+`'`) }

	press("j")
	focused(ids[0])
	press("j")
	focused(ids[1])
	press("k")
	focused(ids[0])
	press("j" + kb.Enter)
	open("#/alerts/" + ids[1])
	// The page hears of its new address a moment later.
	browser.Until(t, tab, `document.querySelector('#detail article')?.dataset.id === '`+ids[1]+`'`)
	press("j")
	open("#/alerts/" + ids[2])
	browser.Until(t, tab, `document.querySelector('#detail article')?.dataset.id === '`+ids[2]+`'`)
	press(kb.Escape)
	open("#/")
	press("/")
	browser.Until(t, tab, `document.activeElement.id === 'search'`)
	press("tunnel nobody has")
	browser.Until(t, tab, `document.querySelector('#list-empty').innerText.includes('No alert matches')`)
	browser.Do(t, tab, chromedp.Click(`#list-empty button`))
	browser.Until(t, tab, `document.querySelectorAll('#list .row').length === 4`)
	browser.Do(t, tab, chromedp.SetValue(`#severity`, "high"),
		chromedp.Evaluate[chromedp.Void](`document.querySelector('#severity').dispatchEvent(new Event('change'))`))
	browser.Until(t, tab, `document.querySelectorAll('#list .row').length === 2`)
	clean(t, complaints)
}

func TestPageExporters(t *testing.T) {
	f := newFixture()
	base, _ := f.start(t)
	tab := browser.New(t)
	complaints := browser.Watch(t, tab)
	browser.Look(t, tab, 1280, 800, "dark")
	visit(t, tab, base)
	for _, where := range []string{"#list-empty", "#detail"} {
		browser.Until(t, tab, `document.querySelector('`+where+`').innerText.includes('No exporter has sent anything')`)
	}
	browser.Until(t, tab, `document.querySelector('#detail').innerText.includes('192.0.2.10:2055')`)
	browser.Screenshot(t, tab, "empty")

	f.exporters.set(sampleExporters(time.Now())...)
	browser.Do(t, tab, chromedp.Click(`#tab-exporters`))
	browser.Until(t, tab, `document.querySelectorAll('tbody').length === 5`)
	silent := browser.Eval[string](t, tab, `document.querySelector('tbody').innerText`)
	for _, want := range []string{"silent", "pe3.west", "10.30.0.3", "Nothing received for 17 min"} {
		if !strings.Contains(silent, want) {
			t.Errorf("the first row does not say %q: %s", want, silent)
		}
	}
	browser.Until(t, tab, `document.querySelector('#exporters-badge').innerText === '2 problems'`)

	const lossy = `document.querySelector('[data-exporter="10.30.0.2"]')`
	for _, want := range []string{"10000 of 200000 datagrams (5.0 %)", "5 %", "214 were dropped"} {
		if text := browser.Eval[string](t, tab, lossy+`.innerText`); !strings.Contains(text, want) {
			t.Errorf("pe2.east does not say %q: %s", want, text)
		}
	}
	// What to type is folded, stays open while the table is made anew, and is of the
	// exporter's platform alone.
	browser.Do(t, tab, chromedp.Click(`[data-exporter="10.30.0.2"] summary`))
	browser.Until(t, tab, lossy+`.querySelector('details[open] pre')?.innerText.includes('template data timeout 60')`)
	browser.Do(t, tab, chromedp.Click(`#tab-alerts`), chromedp.Click(`#tab-exporters`))
	browser.Until(t, tab, lossy+`?.querySelector('details[open] h3')?.innerText === 'Cisco IOS-XR'`)
	if n := browser.Eval[int](t, tab, lossy+`.querySelectorAll('details[open] h3').length`); n != 1 {
		t.Errorf("commands of %d platforms", n)
	}
	browser.Screenshot(t, tab, "exporters-remedies")
	clean(t, complaints)
}
