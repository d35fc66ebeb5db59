package volume_test

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"tapwatch/detect/detecttest"
	"tapwatch/detect/volume"
)

// TestMemory holds that what a detector remembers of the hours does not change what it
// finds: one that has seen all windows, in any order, finds what a new one does.
func TestMemory(t *testing.T) {
	stage := open(t)
	cfg := volume.DefaultConfig()
	cfg.History, cfg.WarmUp = 8*24*time.Hour, 2*24*time.Hour
	const hours = 11 * 24
	var flows []detecttest.Flow
	for hour := range hours {
		bytes := uint64(2_000_000 + hour%7*100_000)
		if hour > 9*24 && hour%11 == 0 {
			bytes = 900_000_000
		}
		flows = append(flows, detecttest.Flow{At: detecttest.At(time.Duration(hour)*time.Hour + time.Minute), Src: "10.40.1.10", Dst: fmt.Sprintf("203.0.113.%d", 1+hour%3),
			SrcPort: 40000, DstPort: 443, Flags: detecttest.Session, Bytes: bytes, Packets: bytes / 1000})
	}
	stage.Flows(flows...)
	inv := detecttest.Inventory(t, detecttest.Operator)
	old := volume.New(cfg, inv)
	order := make([]int, 0, 14)
	for hour := hours - 14; hour < hours; hour++ {
		order = append(order, hour)
	}
	backwards := slices.Clone(order)
	slices.Reverse(backwards)
	found := 0
	for _, hour := range slices.Concat(order, backwards) {
		from := detecttest.At(time.Duration(hour) * time.Hour)
		got := stage.Detect(old, from, from.Add(5*time.Minute))
		want := stage.Detect(volume.New(cfg, inv), from, from.Add(5*time.Minute))
		if diff := cmp.Diff(want, got, cmpopts.EquateComparable(netip.Addr{})); diff != "" {
			t.Fatalf("hour %d: a detector that remembers finds something else (-new +remembering):\n%s", hour, diff)
		}
		found += len(got)
	}
	if found == 0 {
		t.Error("nothing was found: nothing was compared")
	}
}
