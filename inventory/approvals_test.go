package inventory_test

import (
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"tapwatch/inventory"
)

var approvedUntil = time.Date(2027, 1, 20, 12, 0, 0, 0, time.UTC)

// outsider lets an address outside all zones open SSH to admf-1, which has two addresses.
func outsider() inventory.Approval {
	return inventory.Approval{
		ID: "a1", Client: netip.MustParseAddr("203.0.113.34"), Server: netip.MustParseAddr("::ffff:10.66.0.10"), Protocol: 6, Port: 22,
		Expires: approvedUntil, Owner: "li-operations", Ticket: "CHG-7", Reason: "vendor\n- name: x # support",
	}
}

func TestApprovals(t *testing.T) {
	v := example(t)
	with := inventory.WithApprovals(v, []inventory.Approval{outsider()})
	before := approvedUntil.Add(-time.Minute)
	for _, c := range []struct {
		what           string
		client, server string
		protocol       uint8
		port           uint16
		at             time.Time
		either         bool
		want           bool
	}{
		{"what was seen", "203.0.113.34", "10.66.0.10", 6, 22, before, false, true},
		{"another address of the asset", "203.0.113.34", "2001:db8:66::10", 6, 22, before, false, true},
		{"another client", "203.0.113.35", "10.66.0.10", 6, 22, before, false, false},
		{"another server", "203.0.113.34", "10.66.0.20", 6, 22, before, false, false},
		{"another port", "203.0.113.34", "10.66.0.10", 6, 443, before, false, false},
		{"another protocol", "203.0.113.34", "10.66.0.10", 17, 22, before, false, false},
		{"the other way around", "10.66.0.10", "203.0.113.34", 6, 22, before, false, false},
		{"the other way around, either may", "10.66.0.10", "203.0.113.34", 6, 22, before, true, true},
		{"expired", "203.0.113.34", "10.66.0.10", 6, 22, approvedUntil, false, false},
	} {
		in := with
		if c.either {
			a := outsider()
			a.EitherInitiates = true
			in = inventory.WithApprovals(v, []inventory.Approval{a})
		}
		conversation := inventory.Conversation{
			Client: netip.MustParseAddr(c.client), Server: netip.MustParseAddr(c.server), Protocol: c.protocol, Port: c.port, At: c.at, InitiatorKnown: true,
		}
		rule, ok := in.Allowed(conversation)
		if ok != c.want || ok && rule != "approval-a1" {
			t.Errorf("%s: allowed %t by %q", c.what, ok, rule)
		}
		if _, ok := v.Allowed(conversation); ok {
			t.Errorf("%s: the inventory itself allows it", c.what)
		}
	}
	if inventory.WithApprovals(v, nil) != v {
		t.Error("an inventory without approvals is another one")
	}
}

// TestApprovalsKeepTheRest: everything else of the inventory is there with approvals too.
func TestApprovalsKeepTheRest(t *testing.T) {
	v := example(t)
	with := inventory.WithApprovals(v, []inventory.Approval{outsider()})
	old, now := reflect.ValueOf(v).Elem(), reflect.ValueOf(with).Elem()
	for i := range old.NumField() {
		if name := old.Type().Field(i).Name; old.Field(i).IsZero() != now.Field(i).IsZero() {
			t.Errorf("member %s is lost", name)
		}
	}
	n := 0
	for p, e := range v.Entries() {
		n++
		if got := with.Lookup(p.Addr()); got != v.Lookup(p.Addr()) {
			t.Errorf("%s is %+v, was %+v", p, got, e)
		}
	}
	if n < 8 || len(with.Allow) != len(v.Allow)+1 {
		t.Errorf("%d prefixes, %d rules after %d", n, len(with.Allow), len(v.Allow))
	}
}

// TestLiveKeepsApprovals: a reload of the file leaves approvals in force, and ending them
// leaves the file.
func TestLiveKeepsApprovals(t *testing.T) {
	file := filepath.Join(t.TempDir(), "inventory.yaml")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	live := new(inventory.Live)
	if !live.Approve([]inventory.Approval{outsider()}) || live.Approve([]inventory.Approval{outsider()}) {
		t.Error("Approve does not tell what changes")
	}
	write("zones: [{name: a, kind: core, prefixes: [10.0.0.0/8]}]\n")
	if err := live.Reload(file); err != nil {
		t.Fatal(err)
	}
	same := live.Load()
	if live.Load() != same || len(same.Allow) != 1 || len(same.Zones) != 1 || len(live.File().Allow) != 0 {
		t.Errorf("%d rules and %d zones after a reload", len(same.Allow), len(same.Zones))
	}
	write("zones: [{}]\n")
	if err := live.Reload(file); err == nil || live.Load() != same {
		t.Errorf("a bad file changed something: %v", err)
	}
	if !live.Approve(nil) || len(live.Load().Allow) != 0 || len(live.Load().Zones) != 1 {
		t.Error("the approval is still in force")
	}
}

// TestApprovalsAsYAML: what is to be pasted is read again, and allows the same.
func TestApprovalsAsYAML(t *testing.T) {
	v := example(t)
	gre := inventory.Approval{
		ID: "b: 2", Client: netip.MustParseAddr("2001:db8::1"), Server: netip.MustParseAddr("10.30.0.1"), Protocol: 47, EitherInitiates: true,
		Expires: approvedUntil, Owner: "yes", Ticket: "#1: 'x'", Reason: "tunnel",
	}
	text := inventory.ApprovalsYAML(v, []inventory.Approval{outsider(), gre})
	data, err := os.ReadFile("../inventory.example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	file := strings.Replace(string(data), "\nallow:\n", "\nallow:\n"+text, 1)
	pasted, err := inventory.Parse("pasted.yaml", []byte(file))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if len(pasted.Allow) != len(v.Allow)+2 {
		t.Fatalf("%d rules, want two more than %d:\n%s", len(pasted.Allow), len(v.Allow), text)
	}
	want := inventory.WithApprovals(v, []inventory.Approval{outsider(), gre}).Allow[len(v.Allow):]
	for i, got := range pasted.Allow[:2] {
		w := want[i]
		if got.Name != w.Name || got.From[0].String() != w.From[0].String() || got.To[0].String() != w.To[0].String() || got.Protocol != w.Protocol ||
			!slices.Equal(got.Ports, w.Ports) || got.EitherInitiates != w.EitherInitiates || got.Owner != w.Owner || got.Ticket != w.Ticket ||
			got.Expires.Before(w.Expires) || got.Expires.Sub(w.Expires) > 24*time.Hour {
			t.Errorf("read again it is %+v, want %+v", got, w)
		}
	}
	if again := inventory.ApprovalsYAML(pasted, []inventory.Approval{outsider(), gre}); strings.Contains(again, "name:") && strings.Contains(again, "approval-a1") {
		t.Errorf("what is pasted is listed again:\n%s", again)
	}
}

func TestSharedPeers(t *testing.T) {
	v := example(t)
	for addr, want := range map[string]bool{"10.20.0.10": true, "192.0.2.65": true, "::ffff:10.20.0.20": true, "203.0.113.34": false, "10.66.0.10": false} {
		if got := v.Shared(netip.MustParseAddr(addr)); got != want {
			t.Errorf("%s is shared: %t, want %t", addr, got, want)
		}
	}
	if new(inventory.Inventory).Shared(netip.Addr{}) {
		t.Error("nothing is shared")
	}
}
