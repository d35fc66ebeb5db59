package detect_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"tapwatch/detect/detecttest"
	"tapwatch/detect/intel"
	"tapwatch/detect/policy"
)

// TestFindingsSurviveStorage stores what detectors found and reads the alerts back.
func TestFindingsSurviveStorage(t *testing.T) {
	store, stage := open(t)
	inv := detecttest.Inventory(t, detecttest.Operator)
	in := flow{At: detecttest.At(4 * second), Src: "198.51.100.13", Dst: asset, SrcPort: 40000, DstPort: 22, Flags: detecttest.Session, Sampling: -1}
	stage.Flows(in, in.Back(10, 1000))
	from, to := detecttest.At(0), detecttest.At(10*second)
	found := append(stage.Detect(policy.New(policy.DefaultConfig(), inv), from, to), stage.Detect(intel.New(intel.DefaultConfig(), inv), from, to)...)
	if len(found) != 2 {
		t.Fatalf("found %q, want one of each detector", detecttest.Titles(found))
	}
	for range 2 { // the second time replaces the first
		if err := store.InsertFindings(t.Context(), found, time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range found {
		a, ok, err := store.Alert(t.Context(), f.ID)
		if err != nil || !ok {
			t.Fatalf("alert %s: %t, %v", f.ID, ok, err)
		}
		if a.Findings != 1 {
			t.Errorf("%d findings, want 1", a.Findings)
		}
		ignored := cmpopts.IgnoreFields(f, "WindowStart", "WindowEnd", "Initiator", "Sightings")
		if diff := cmp.Diff(f, a.Finding, ignored, cmpopts.EquateComparable(netip.Addr{})); diff != "" {
			t.Errorf("the alert (-found +stored):\n%s", diff)
		}
	}
}

// TestAlertShowsAllWindowsOfAllAddresses has an asset of two addresses touched in
// two windows: the alert's query shows the flows of both addresses in both.
func TestAlertShowsAllWindowsOfAllAddresses(t *testing.T) {
	store, stage := open(t)
	var flows []flow
	for _, at := range []time.Duration{4 * second, 44 * second} {
		for _, addr := range []string{"10.66.0.20", "10.66.0.21"} {
			in := flow{At: detecttest.At(at), Src: "198.51.100.13", Dst: addr, SrcPort: 40000, DstPort: 22, Flags: detecttest.Session}
			flows = append(flows, in, in.Back(10, 1000))
		}
	}
	stage.Flows(flows...)
	d := policy.New(policy.DefaultConfig(), detecttest.Inventory(t, detecttest.Operator))
	found := stage.Detect(d, detecttest.At(0), detecttest.At(60*second))
	if len(found) != 2 || found[0].ID != found[1].ID {
		t.Fatalf("found %q, want two of one identity", detecttest.Titles(found))
	}
	if err := store.InsertFindings(t.Context(), found, time.Now()); err != nil {
		t.Fatal(err)
	}
	a, ok, err := store.Alert(t.Context(), found[0].ID)
	if err != nil || !ok {
		t.Fatalf("alert: %t, %v", ok, err)
	}
	if rows := stage.Rows(a.SQL); rows != uint64(len(flows)) {
		t.Errorf("the query shows %d flows of %d:\n%s", rows, len(flows), a.SQL)
	}
}
