package alert

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"tapwatch/internal/config"
)

func silenceOf(change func(*Silence)) Silence {
	s := Silence{Asset: "hss-1", Reason: "a backup", Owner: "core", CreatedAt: began, ExpiresAt: began.Add(time.Hour)}
	change(&s)
	return s
}

func TestSilenceIsChecked(t *testing.T) {
	for field, change := range map[string]func(*Silence){
		"":              func(*Silence) {},
		" ":             func(s *Silence) { s.Asset, s.Peer = "", netip.MustParsePrefix("198.51.0.0/16") },
		"  ":            func(s *Silence) { s.Asset, s.Detector, s.Port = "", "scan", 22 },
		"   ":           func(s *Silence) { s.ExpiresAt = began.Add(SilenceDays * 24 * time.Hour) },
		"asset":         func(s *Silence) { s.Asset = "" },
		"asset ":        func(s *Silence) { s.Asset, s.Port = "", 22 },
		"asset  ":       func(s *Silence) { s.Asset, s.Detector = "", "scan" },
		"asset   ":      func(s *Silence) { s.Asset = strings.Repeat("a", 201) },
		"rule":          func(s *Silence) { s.Rule = "sweep" },
		"peer":          func(s *Silence) { s.Peer = netip.MustParsePrefix("0.0.0.0/0") },
		"peer ":         func(s *Silence) { s.Peer = netip.MustParsePrefix("10.0.0.1/8") },
		"peer  ":        func(s *Silence) { s.Peer = netip.MustParsePrefix("::ffff:10.0.0.0/104") },
		"peer   ":       func(s *Silence) { s.Peer = netip.MustParsePrefix("2000::/3") },
		"owner":         func(s *Silence) { s.Owner = " \t" },
		"reason":        func(s *Silence) { s.Reason = "" },
		"reason ":       func(s *Silence) { s.Reason = strings.Repeat("a", 501) },
		"reason  ":      func(s *Silence) { s.Reason = "\xff" },
		"expires_at":    func(s *Silence) { s.ExpiresAt = time.Time{} },
		"expires_at ":   func(s *Silence) { s.ExpiresAt = began },
		"expires_at  ":  func(s *Silence) { s.ExpiresAt = began.Add(SilenceDays*24*time.Hour + 1) },
		"expires_at   ": func(s *Silence) { s.ExpiresAt = began.Add(-time.Hour) },
	} {
		s := silenceOf(change)
		err := s.Validate()
		var at *FieldError
		if want := strings.TrimSpace(field); want == "" {
			if err != nil {
				t.Errorf("%+v: %v", s, err)
			}
		} else if !errors.As(err, &at) || at.Field != want || at.Problem == "" || at.Remedy == "" {
			t.Errorf("%+v: %v, want an error of %s", s, err, want)
		}
	}
}

func TestSilenceCovers(t *testing.T) {
	a := seen("a", "hss-1", "198.51.100.7", 0, 1).Alert
	a.Detector, a.Rule, a.Port, a.Asset.Addr = "policy", "not-allowed", 22, netip.MustParseAddr("10.40.1.10")
	without := a
	without.Peer.Addr = netip.Addr{}
	for _, c := range []struct {
		name string
		s    Silence
		want bool
	}{
		{"nothing", Silence{}, false},
		{"a port alone", Silence{Port: 22}, false},
		{"the asset", Silence{Asset: "hss-1"}, true},
		{"its address", Silence{Asset: "10.40.1.10"}, true},
		{"another", Silence{Asset: "hss-2"}, false},
		{"another address", Silence{Asset: "10.40.1.11"}, false},
		{"the peer", Silence{Peer: netip.MustParsePrefix("198.51.100.7/32")}, true},
		{"its prefix", Silence{Peer: netip.MustParsePrefix("198.51.100.0/24")}, true},
		{"another prefix", Silence{Peer: netip.MustParsePrefix("198.51.101.0/24")}, false},
		{"all that fits", Silence{Detector: "policy", Rule: "not-allowed", Asset: "hss-1", Peer: netip.MustParsePrefix("198.51.100.0/24"), Port: 22}, true},
		{"all but the port", Silence{Detector: "policy", Rule: "not-allowed", Asset: "hss-1", Port: 23}, false},
		{"another rule", Silence{Detector: "policy", Rule: "sweep"}, false},
		{"another detector", Silence{Detector: "intel", Asset: "hss-1"}, false},
	} {
		if got := c.s.Covers(&a); got != c.want {
			t.Errorf("%s: %t", c.name, got)
		}
	}
	if p := (Silence{Peer: netip.MustParsePrefix("198.51.100.0/24")}); p.Covers(&without) {
		t.Error("an alert without a peer is under the silence of one")
	}
	s := silenceOf(func(s *Silence) { s.EndedAt = began.Add(30 * time.Minute) })
	for after, want := range map[time.Duration]bool{-1: false, 0: true, 29 * time.Minute: true, 30 * time.Minute: false, time.Hour: false} {
		if got := s.InForce(began.Add(after)); got != want {
			t.Errorf("in force after %v: %t", after, got)
		}
	}
}

func TestApprove(t *testing.T) {
	a := seen("a", "hss-1", "198.51.100.7", 0, 1).Alert
	a.Asset.Addr, a.Protocol, a.Port, a.Initiator = netip.MustParseAddr("10.40.1.10"), 6, 22, "peer"
	p, err := Approve(&a)
	if err != nil || p.Client != a.Peer.Addr || p.Server != a.Asset.Addr || p.ServerAsset != "hss-1" || p.EitherInitiates || p.Port != 22 {
		t.Errorf("%+v, %v", p, err)
	}
	a.Initiator = "asset"
	if p, err = Approve(&a); err != nil || p.Client != a.Asset.Addr || p.ClientAsset != "hss-1" || p.ServerAsset != "" {
		t.Errorf("%+v, %v", p, err)
	}
	a.Initiator, a.Protocol, a.Port = "", 47, 0
	if p, err = Approve(&a); err != nil || !p.EitherInitiates {
		t.Errorf("%+v, %v", p, err)
	}
	a.Protocol = 17
	if _, err = Approve(&a); err == nil {
		t.Error("all ports of UDP are approved")
	}
	a.Peer.Addr = netip.Addr{}
	if _, err = Approve(&a); err == nil {
		t.Error("a conversation with nobody is approved")
	}
	p.Owner, p.Reason, p.Ticket, p.CreatedAt, p.ExpiresAt = "core", "wanted", "CHG-1", began, began.Add(ApprovalDays*24*time.Hour)
	if err := p.Validate(); err != nil || !p.InForce(began) || p.InForce(p.ExpiresAt) {
		t.Error(err)
	}
	for field, change := range map[string]func(p *Approval){
		"ticket": func(p *Approval) { p.Ticket = "" }, "owner": func(p *Approval) { p.Owner = "" }, "reason": func(p *Approval) { p.Reason = "" },
		"expires_at": func(p *Approval) { p.ExpiresAt = p.ExpiresAt.Add(1) },
	} {
		bad := p
		change(&bad)
		var at *FieldError
		if err := bad.Validate(); !errors.As(err, &at) || at.Field != field {
			t.Errorf("%v, want an error of %s", err, field)
		}
	}
}

func TestOutsideToIntercept(t *testing.T) {
	li, core, outside := Party{Zone: "li", ZoneKind: "lawful-intercept"}, Party{Zone: "core", ZoneKind: "core"}, Party{Country: "SC"}
	for _, c := range []struct {
		asset, peer Party
		want        bool
	}{{li, outside, true}, {outside, li, true}, {li, core, false}, {core, outside, false}} {
		a := Alert{Finding: Finding{Asset: c.asset, Peer: c.peer}}
		if a.OutsideToIntercept() != c.want {
			t.Errorf("%s with %s: %t", c.asset.Zone, c.peer.Zone, !c.want)
		}
	}
}

func TestBudget(t *testing.T) {
	raised := []Raised{{"scan", "sweep", 15}, {"policy", "not-allowed", 6}, {"a", "a", 1}, {"b", "b", 1}, {"c", "c", 1}, {"d", "d", 1}}
	b := NewBudget(20, began, began.Add(24*time.Hour), raised, 3)
	if b.New != 25 || b.Silenced != 3 || !b.Exceeded || len(b.Loudest) != 5 {
		t.Errorf("%+v", b)
	}
	for _, want := range []string{"25 new alerts", "budget is 20", "scan/sweep with 15", "silence", "approve", "Nothing is hidden"} {
		if !strings.Contains(b.Text, want) {
			t.Errorf("it does not say %q: %s", want, b.Text)
		}
	}
	for _, kept := range []Budget{NewBudget(25, began, began, raised, 0), NewBudget(0, began, began, raised, 0), NewBudget(20, began, began, nil, 0)} {
		if kept.Exceeded || kept.Text != "" {
			t.Errorf("%+v", kept)
		}
	}
}

func TestConfig(t *testing.T) {
	for text, want := range map[string]string{
		"incident_gap: 1h\n": "", "incident_gap: 59m\n": "incident_gap", "incident_gap: 721h\n": "incident_gap",
		"budget_per_day: 0\n": "", "budget_per_day: -1\n": "budget_per_day",
	} {
		cfg := DefaultConfig()
		err := config.Decode("f.yaml", []byte(text), &cfg)
		var at *config.Error
		if want == "" && err != nil || want != "" && (!errors.As(err, &at) || at.Key != want) {
			t.Errorf("%q: %v", text, err)
		}
	}
}
