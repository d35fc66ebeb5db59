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
		ignored := cmpopts.IgnoreFields(f, "WindowStart", "WindowEnd", "Initiator")
		if diff := cmp.Diff(f, a.Finding, ignored, cmpopts.EquateComparable(netip.Addr{})); diff != "" {
			t.Errorf("the alert (-found +stored):\n%s", diff)
		}
	}
}
