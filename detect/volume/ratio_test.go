package volume_test

import (
	"strings"
	"testing"
	"time"

	"tapwatch/alert"
	"tapwatch/detect/detecttest"
)

// download is what host gets from src, of which a twentieth goes back.
func download(when time.Time, host, src string, bytes float64) []flow {
	ask := flow{At: when, Begin: when.Add(-time.Minute), Src: host, Dst: src, SrcPort: 41000, DstPort: 443, Flags: detecttest.Session,
		Packets: uint64(bytes/20000) + 5, Bytes: uint64(bytes / 20)}
	return []flow{ask, ask.Back(uint64(bytes/1000)+5, uint64(bytes))}
}

// TestRatio has systems that mostly receive for ten days. On the eleventh one sends 184
// MB in pieces that no hour shows; one sends as much, and did so on a day before; of one
// the downloads fail, so that its balance shifts without its sending more.
func TestRatio(t *testing.T) {
	const leaks, weekly, starved = hss, "10.40.7.1", "10.40.7.2"
	var flows []flow
	midnight := at(0).Truncate(day)
	for d := -10; d <= 0; d++ {
		for _, host := range []string{leaks, weekly, starved} {
			if d < 0 || host != starved {
				flows = append(flows, download(midnight.AddDate(0, 0, d).Add(9*time.Hour), host, partner, 60*mb)...)
			}
		}
		flows = append(flows, over(midnight.AddDate(0, 0, d).Add(9*time.Hour), 10, starved, partner, 2.1*mb)...)
	}
	for hour := range 23 {
		for _, host := range []string{leaks, weekly} {
			flows = append(flows, upload(midnight.Add(time.Duration(hour)*time.Hour+20*time.Minute), host, vps, 8*mb)...)
		}
		flows = append(flows, upload(midnight.Add(time.Duration(hour-5*24)*time.Hour+20*time.Minute), weekly, vps, 8*mb)...)
	}
	stage := open(t)
	stage.Flows(flows...)
	found := stage.Detect(detector(t), midnight.AddDate(0, 0, 1), midnight.AddDate(0, 0, 1).Add(5*time.Minute))
	if len(found) != 1 {
		t.Fatalf("found %q, want one", detecttest.Titles(found))
	}
	f := found[0]
	t.Logf("%s\n%s\n- %s", f.Title, f.Summary, strings.Join(f.Reasons, "\n- "))
	if f.Rule != "direction-shift" || f.Asset.Asset != "hss-1" || f.Peer.Addr.String() != vps || f.Severity != alert.High {
		t.Errorf("found %s about %s and %s, %s", f.Rule, f.Asset.Name(), f.Peer.Addr, f.Severity)
	}
	if rows := stage.Rows(f.SQL); rows != f.Flows {
		t.Errorf("the finding counts %d flows, its query shows %d", f.Flows, rows)
	}
}
