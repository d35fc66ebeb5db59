package beacon_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"tapwatch/alert"
	"tapwatch/detect/beacon"
	"tapwatch/detect/detecttest"
)

// robots are n outside addresses that each call at a steady pace from a moment on.
func robots(n, first int, from time.Duration, each int, pace time.Duration) (all []flow) {
	for i := range n {
		moments := every(from+time.Duration(i)*7*time.Second, each, jitter(pace, 0.1))
		for _, f := range calls(fmt.Sprintf("198.51.100.%d", first+i), hss, 22, moments) {
			all = append(all, f)
		}
	}
	return all
}

// TestCallers: who tries passwords at a steady pace for an hour is no beacon; who calls
// for longer is; many at one service are one alert, and the most even one stands for them.
func TestCallers(t *testing.T) {
	const last = 30 * time.Hour
	for _, c := range []struct {
		name   string
		flows  []flow
		alerts int
		title  string
	}{
		{"for an hour", robots(20, 1, last-2*time.Hour, 50, 70*time.Second), 0, ""},
		{"two for a day", robots(2, 1, last-24*time.Hour, 150, 10*time.Minute), 2, "198.51.100.1 calls hss-1 of core-east by SSH (tcp/22) about every 10.0 minutes"},
		{"five for a day", robots(5, 1, last-24*time.Hour, 150, 10*time.Minute), 1, "5 outside addresses call hss-1 of core-east by SSH (tcp/22) steadily"},
	} {
		t.Run(c.name, func(t *testing.T) {
			stage := open(t)
			stage.Flows(append(history(), c.flows...)...)
			seen := map[string]alert.Finding{}
			for _, f := range stage.Detect(detector(t), at(last-time.Hour), at(last)) {
				seen[f.ID] = f
				if stage.Rows(f.SQL) == 0 {
					t.Errorf("the query returns nothing:\n%s", f.SQL)
				}
			}
			found := c.title == ""
			for _, f := range seen {
				found = found || strings.HasPrefix(f.Title, c.title)
			}
			if len(seen) != c.alerts || !found {
				t.Errorf("%d alerts, want %d with the title %q:", len(seen), c.alerts, c.title)
				for _, f := range seen {
					t.Log(f.Title)
				}
			}
		})
	}
}

// TestUnanswered: a program that calls a server that is gone is a beacon; what outside
// sends to us in vain, and a group address, are none.
func TestUnanswered(t *testing.T) {
	tried := func(src, dst string, port uint16) (all []flow) {
		for i, m := range every(time.Hour, 145, jitter(10*time.Minute, 0.3)) {
			all = append(all, flow{At: at(m + 10*time.Second), Begin: at(m), Src: src, Dst: dst, SrcPort: uint16(20000 + i), DstPort: port,
				Flags: detecttest.SYN, Packets: 3, Bytes: 180})
		}
		return all
	}
	stage := open(t)
	stage.Flows(history()...)
	stage.Flows(tried(hss, outside, 1177)...)
	stage.Flows(tried(other, poi, 1177)...)
	group := calls(jump, "239.255.255.250", 3702, every(time.Hour, 145, jitter(10*time.Minute, 0.3)))
	for i := range group {
		group[i].Protocol, group[i].Flags = 17, 0
	}
	stage.Flows(group...)
	var got []alert.Finding
	for _, f := range stage.Detect(detector(t), at(23*time.Hour), at(24*time.Hour)) {
		got = append(got, f)
	}
	if len(got) != 1 || got[0].Peer.Addr.String() != outside || got[0].Severity != alert.Critical || got[0].Confidence != 0.7 {
		t.Fatalf("%d findings, want one critical one about %s: %+v", len(got), outside, got)
	}
	if !strings.Contains(strings.Join(got[0].Reasons, "\n"), "0 of the calls were answered") {
		t.Errorf("reasons: %q", got[0].Reasons)
	}
	if beacon.Name != got[0].Detector || stage.Rows(got[0].SQL) == 0 {
		t.Errorf("the query of %q returns nothing", got[0].Title)
	}
}
