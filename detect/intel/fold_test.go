package intel_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tapwatch/detect/detecttest"
)

// TestManyEntries has one system talk with more entries of a list than are worth an alert
// each: at once, and one after the other.
func TestManyEntries(t *testing.T) {
	stage := open(t)
	for i := range 12 {
		stage.Flows(session(hss, fmt.Sprintf("192.0.2.%d", 100+i), 443, 1000, 9000)...)
	}
	found := stage.Detect(detector(t), at(0), at(10*second))
	want := []string{"critical: hss-1 of core-east talked with 12 entries of intelligence list bulk"}
	if diff := cmp.Diff(want, detecttest.Titles(found)); diff != "" {
		t.Error(diff)
	}
	if f := found[0]; stage.Rows(f.SQL) != 24 || f.Flows != 24 {
		t.Errorf("%d flows, its query returns %d, want 24", f.Flows, stage.Rows(f.SQL))
	}

	// The same slowly: the first five have alerts of their own, the rest share one.
	stage = open(t)
	var all []flow
	for i := range 12 {
		for _, f := range session(hss, fmt.Sprintf("192.0.2.%d", 100+i), 443, 1000, 9000) {
			all = append(all, f.Later(time.Duration(i)*time.Minute))
		}
	}
	stage.Flows(all...)
	ids := map[string]int{}
	for _, f := range stage.Detect(detector(t), at(0), at(12*time.Minute)) {
		ids[f.ID]++
	}
	if len(ids) != 6 {
		t.Errorf("%d alerts, want 5 and one for the rest: %v", len(ids), ids)
	}
}

// TestManySystems has one entry talk with more systems than are worth an alert each.
func TestManySystems(t *testing.T) {
	stage := open(t)
	for i := range 8 {
		stage.Flows(session(listed, fmt.Sprintf("10.40.7.%d", 1+i), 22, 1000, 9000)...)
	}
	found := stage.Detect(detector(t), at(0), at(10*second))
	want := []string{"high: 8 protected systems talked with 198.51.100.0/28, of intelligence list apt"}
	if diff := cmp.Diff(want, detecttest.Titles(found)); diff != "" {
		t.Error(diff)
	}
	if f := found[0]; stage.Rows(f.SQL) != 16 {
		t.Errorf("its query returns %d rows, want 16", stage.Rows(f.SQL))
	}
}

// TestOneEntryOneAlert has one system talk with addresses of one entry over many ports:
// one finding, whose query shows all of it.
func TestOneEntryOneAlert(t *testing.T) {
	stage := open(t)
	var flows []flow
	for i := range 30 {
		flows = append(flows, session(hss, []string{listed, other}[i%2], uint16(8000+i), 1000, 9000)...)
	}
	stage.Flows(flows...)
	found := stage.Detect(detector(t), at(0), at(10*second))
	if len(found) != 1 || found[0].Flows != 60 || stage.Rows(found[0].SQL) != 60 {
		t.Fatalf("found %d findings: %q", len(found), detecttest.Titles(found))
	}
}

// TestHeavy holds that much traffic in a day makes a conversation graver, by the sum over
// windows.
func TestHeavy(t *testing.T) {
	stage := open(t)
	for i := range 4 {
		for _, f := range session(listed, hss, 22, 8_000_000, 500_000) {
			stage.Flows(f.Later(time.Duration(i) * 10 * time.Minute))
		}
	}
	var got []string
	for i := range 4 {
		for _, f := range stage.Detect(detector(t), at(time.Duration(i)*10*time.Minute), at(time.Duration(i)*10*time.Minute+10*second)) {
			got = append(got, f.Severity.String())
			if last := f.Reasons[len(f.Reasons)-2]; i == 3 && !strings.HasPrefix(last, "34 MB went between them in the last day") {
				t.Errorf("reasons %q", f.Reasons)
			}
		}
	}
	if diff := cmp.Diff([]string{"high", "high", "critical", "critical"}, got); diff != "" {
		t.Error(diff)
	}
}
