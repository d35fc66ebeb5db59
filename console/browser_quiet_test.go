package console_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"tapwatch/alert"
	"tapwatch/internal/browser"
)

// intrusion is a console with an incident of several tactics, and other alerts.
func intrusion(now time.Time) *fixture {
	f := sampled(now)
	f.alerts.put(related(now))
	probe := tunnel(now)
	probe.ID, probe.Title, probe.Peer, probe.Asset = "11ee22dd33cc44bb", "203.0.113.34 tries 12 addresses of li-east", sshFromAbroad(now).Peer, alert.Party{Zone: "li-east"}
	probe.Measures = []alert.Measure{
		{Name: "addresses tried in an hour", Observed: 12, Expected: 0.4, Unit: "hosts", Rarity: 1e-6}, {Name: "sent", Observed: 84_000, Unit: "bytes"},
	}
	probe.Confidence = 0.93
	probe.Techniques = []alert.Technique{{ID: "T1595", Name: "Active Scanning", Tactic: "Reconnaissance", Matrix: "Enterprise 17.1"}}
	f.alerts.put(probe)
	return f
}

// TestPageIncident: the incident comes first, with its timeline and its alerts, those of
// several detectors about the same as one row.
func TestPageIncident(t *testing.T) {
	f := intrusion(time.Now())
	base, _ := f.start(t)
	tab := browser.New(t)
	complaints := browser.Watch(t, tab)
	browser.Look(t, tab, 1280, 800, "dark")
	visit(t, tab, base)
	browser.Until(t, tab, `document.querySelectorAll('#incidents .row').length === 1`)
	row := browser.Eval[string](t, tab, `document.querySelector('#incidents .row').innerText`)
	for _, want := range []string{"critical", "risk ", "3 alerts", "mdf3-1, zone li-east", "Reconnaissance → Initial Access → Command and Control → Exfiltration"} {
		if !strings.Contains(row, want) {
			t.Errorf("the incident does not say %q: %s", want, row)
		}
	}
	// Six alerts, of which two are about the same session.
	browser.Until(t, tab, `document.querySelectorAll('#list li:not([hidden]) .row').length === 5`)
	if also := browser.Eval[string](t, tab, `document.querySelector('#list [data-id="5f0c1b7e2a9d4463"] .also').innerText`); also != "also seen by: longsession / long-session" {
		t.Errorf("the row says %q", also)
	}

	browser.Do(t, tab, chromedp.KeyEvent("j"))
	browser.Until(t, tab, `document.activeElement.closest('#incidents') !== null`)
	browser.Do(t, tab, chromedp.KeyEvent("\r"))
	browser.Until(t, tab, `document.querySelectorAll('#detail .timeline > li').length === 4`)
	for _, scheme := range []string{"dark", "light"} {
		browser.Look(t, tab, 1280, 800, scheme)
		for _, pale := range browser.Eval[[]string](t, tab, contrast) {
			t.Errorf("%s: too little contrast, %s", scheme, pale)
		}
		browser.Screenshot(t, tab, "incident-"+scheme)
	}
	text := browser.Eval[string](t, tab, `document.querySelector('#detail').innerText`)
	for _, want := range []string{"4 tactics", "T1595", "Command and Control", sshFromAbroad(time.Now()).Title, "also seen by: longsession / long-session", "203.0.113.34", "Seychelles"} {
		if !strings.Contains(text, want) {
			t.Errorf("the incident in full does not say %q: %s", want, text)
		}
	}
	browser.Do(t, tab, chromedp.Click(`#detail .folds details summary`))
	browser.Until(t, tab, `document.querySelector('#detail .folds details[open]')?.innerText.includes('lasts for 47 minutes')`)
	browser.Do(t, tab, chromedp.Click(`#detail .folds a[href="#/alerts/11ee22dd33cc44bb"]`))
	browser.Until(t, tab, `document.querySelector('#detail article')?.dataset.id === '11ee22dd33cc44bb'`)
	browser.Until(t, tab, `document.querySelector('#detail').innerText.includes('addresses tried in an hour')`)
	text = browser.Eval[string](t, tab, `document.querySelector('#detail').innerText`)
	for _, want := range []string{"12 hosts", "0.4 hosts", "1 in 1,000,000", "84 kB", "Confidence 93 %", "The incident that it is part of"} {
		if !strings.Contains(text, want) {
			t.Errorf("the alert in full does not say %q: %s", want, text)
		}
	}
	browser.Screenshot(t, tab, "measures")
	browser.Do(t, tab, chromedp.Click(`#detail .context a`))
	browser.Until(t, tab, `document.querySelector('#detail .timeline') !== null && location.hash.startsWith('#/incidents/')`)
	clean(t, complaints)
}

// fill writes into a field of the open form.
func fill(form, name, text string) chromedp.Action[chromedp.Void] {
	return chromedp.SendKeys(fmt.Sprintf(`#act-%s [name=%s]`, form, name), text)
}

// TestPageSilences: a person silences an alert from its page, sees that it is out of
// sight, looks at it all the same, and ends the silence.
func TestPageSilences(t *testing.T) {
	now := time.Now()
	f := sampled(now)
	base, _ := f.start(t)
	tab := browser.New(t)
	complaints := browser.Watch(t, tab)
	visit(t, tab, base+"/#/alerts/a41d07c9e86b2f15")
	browser.Until(t, tab, `document.querySelector('#act-silence summary') !== null`)
	// By keyboard: the summary opens, the form is sent from a field.
	browser.Do(t, tab, chromedp.Focus(`#act-silence summary`), chromedp.KeyEvent("\r"))
	browser.Until(t, tab, `document.querySelector('#act-silence').open`)
	browser.Do(t, tab, fill("silence", "owner", "core team"), fill("silence", "reason", "known test"))
	browser.Until(t, tab, `document.querySelector('#act-silence [name=reason]').value === 'known test'`)
	// An alert that changes meanwhile leaves what was written, and where.
	a := listed(now)
	a.Flows = 99
	f.publish(a)
	browser.Until(t, tab, `document.querySelector('#detail .facts').innerText.includes('99')`)
	if got := browser.Eval[string](t, tab, `document.activeElement.name + ' ' + document.querySelector('#act-silence [name=owner]').value`); got != "reason core team" {
		t.Errorf("after a change the form has %q", got)
	}
	for _, scheme := range []string{"dark", "light"} {
		browser.Look(t, tab, 1280, 1400, scheme)
		for _, pale := range browser.Eval[[]string](t, tab, contrast) {
			t.Errorf("%s: too little contrast, %s", scheme, pale)
		}
		browser.Screenshot(t, tab, "silence-"+scheme)
	}
	browser.Do(t, tab, chromedp.KeyEvent("\r"))
	browser.Until(t, tab, `document.querySelector('#act-silence .outcome').innerText.startsWith('Silenced')`)
	browser.Until(t, tab, `document.querySelectorAll('#list .row').length === 3`)
	browser.Until(t, tab, `document.querySelector('#silenced').innerText.startsWith('1 alert is silenced.')`)
	browser.Until(t, tab, `document.querySelector('#detail .mark')?.innerText === 'silenced'`)
	f.quiet.mu.Lock()
	made := f.quiet.silences[0]
	f.quiet.mu.Unlock()
	if made.Asset != "smf-poi-1" || made.Peer.String() != "198.51.100.9/32" || made.Port != 443 || made.Detector != "" || made.Owner != "core team" ||
		made.Reason != "known test" || made.ExpiresAt.Sub(made.CreatedAt) != 8*time.Hour {
		t.Errorf("the silence is %+v", made)
	}
	f.publish(a) // it goes on, out of sight
	f.publish(silent(now))
	browser.Until(t, tab, `document.querySelector('#list .row').dataset.id === '0be9d1f27734ac58'`)
	if n := rows(t, tab); n != 3 {
		t.Errorf("%d rows", n)
	}
	browser.Do(t, tab, chromedp.Click(`#silenced button`))
	browser.Until(t, tab, `document.querySelectorAll('#list .row').length === 4 && document.querySelectorAll('#list .mark').length === 1`)
	browser.Do(t, tab, chromedp.Click(`#silenced button`))
	browser.Until(t, tab, `document.querySelectorAll('#list .row').length === 3`)

	browser.Do(t, tab, chromedp.Click(`#tab-quiet`))
	browser.Until(t, tab, `document.querySelector('#view-quiet tbody[data-id="`+made.ID+`"]')?.innerText.includes('known test')`)
	for _, scheme := range []string{"dark", "light"} {
		browser.Look(t, tab, 1280, 800, scheme)
		for _, pale := range browser.Eval[[]string](t, tab, contrast) {
			t.Errorf("%s: too little contrast, %s", scheme, pale)
		}
		browser.Screenshot(t, tab, "silences-"+scheme)
	}
	browser.Do(t, tab, chromedp.Click(`#view-quiet tbody[data-id="`+made.ID+`"] button`))
	browser.Until(t, tab, `document.querySelector('#view-quiet tbody[data-id="`+made.ID+`"]').innerText.includes('over')`)
	browser.Do(t, tab, chromedp.Click(`#tab-alerts`))
	browser.Until(t, tab, `document.querySelectorAll('#list .row').length === 4 && document.querySelector('#silenced').hidden`)
	clean(t, complaints)
}

// TestPageApproves: what reaches lawful interception from outside needs a word more; a
// refusal is shown where it is to be mended.
func TestPageApproves(t *testing.T) {
	now := time.Now()
	f := sampled(now)
	b := alert.NewBudget(2, now.Add(-24*time.Hour), now, []alert.Raised{{Detector: "policy", Rule: "not-allowed", Alerts: 4}}, 0)
	f.quiet.budget = &b
	base, _ := f.start(t)
	tab := browser.New(t)
	visit(t, tab, base+"/#/alerts/5f0c1b7e2a9d4463")
	browser.Until(t, tab, `document.querySelector('#budget').innerText.includes('The loudest is policy/not-allowed with 4')`)
	browser.Do(t, tab, chromedp.Click(`#act-approve summary`))
	browser.Until(t, tab, `document.querySelector('#act-approve').innerText.includes('Allows 203.0.113.34 to open TCP 22 to mdf3-1 (10.66.0.30).')`)
	browser.Do(t, tab, fill("approve", "owner", "li-operations"), fill("approve", "reason", "remote support"), fill("approve", "ticket", "CHG-7"))
	// The browser itself asks for the box; a page that has lost it is refused by the server.
	browser.Do(t, tab, chromedp.Click(`#act-approve button[type=submit]`))
	if n := browser.Eval[int](t, tab, `document.querySelectorAll('#act-approve input:invalid').length`); n != 1 {
		t.Errorf("%d fields are still to be filled in, want the confirmation", n)
	}
	browser.Do(t, tab, chromedp.Evaluate[chromedp.Void](`document.querySelector('#act-approve [name=confirm]').required = false`), chromedp.Click(`#act-approve button[type=submit]`))
	browser.Until(t, tab, `document.querySelector('#act-approve .outcome.error')?.innerText.includes('duty officer')`)
	browser.Screenshot(t, tab, "approve-refused")
	browser.Do(t, tab, chromedp.Click(`#act-approve [name=confirm]`), chromedp.Click(`#act-approve button[type=submit]`))
	browser.Until(t, tab, `document.querySelector('#act-approve .outcome').innerText.startsWith('Approved')`)
	browser.Until(t, tab, `document.querySelector('#detail .mark')?.innerText === 'approved'`)
	f.quiet.mu.Lock()
	made := f.quiet.approvals[0]
	f.quiet.mu.Unlock()
	if made.Client.String() != "203.0.113.34" || made.ServerAsset != "mdf3-1" || made.Port != 22 || made.Ticket != "CHG-7" || made.ExpiresAt.Sub(made.CreatedAt) != 7*24*time.Hour {
		t.Errorf("the approval is %+v", made)
	}
	browser.Do(t, tab, chromedp.Click(`#tab-quiet`))
	browser.Until(t, tab, `document.querySelector('#view-quiet tbody[data-id="`+made.ID+`"]')?.innerText.includes('203.0.113.34 to mdf3-1, TCP 22')`)
	browser.Do(t, tab, chromedp.Click(`#view-quiet tbody[data-id="`+made.ID+`"] button`))
	browser.Until(t, tab, `document.querySelector('#view-quiet tbody[data-id="`+made.ID+`"]').innerText.includes('over')`)

	// An alert without a peer is about no conversation that could be approved.
	visit(t, tab, base+"/#/alerts/0be9d1f27734ac58")
	browser.Until(t, tab, `document.querySelector('#act-silence') !== null`)
	if browser.Eval[bool](t, tab, `document.querySelector('#act-approve') !== null`) {
		t.Error("an exporter's silence can be approved")
	}
}
