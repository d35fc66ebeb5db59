package policy_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tapwatch/alert"
	"tapwatch/detect/detecttest"
	"tapwatch/detect/policy"
)

// limit is how many findings stay on their own.
var limit = policy.DefaultConfig().MaxPerAsset

// addresses are n addresses that begin with the three octets.
func addresses(n int, octets string) []string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprintf("%s.%d", octets, i+1))
	}
	return all
}

// scan is one UDP packet without an answer from one address to each of others.
func scan(from string, to []string) []flow {
	var all []flow
	for _, dst := range to {
		all = append(all, flow{At: at(5 * second), Src: from, Dst: dst, SrcPort: 40000, DstPort: 161, Protocol: 17})
	}
	return all
}

// sessions are TCP connections from one address to each of others.
func sessions(from string, to []string, port uint16) []flow {
	var all []flow
	for _, dst := range to {
		all = append(all, session(from, dst, port)...)
	}
	return all
}

func TestSweepConformance(t *testing.T) {
	detecttest.Run(t, detecttest.Suite{
		New:  detector,
		Open: open,
		From: at(0), To: at(10 * second),
		Allowed: func(s *detecttest.Stage) { s.Flows(scan(outside, addresses(200, "10.66.0"))...) },
		Suspicious: func(s *detecttest.Stage) {
			s.Flows(scan(mdf3, addresses(200, "198.18.0"))...)
			s.Flows(sessions(outside, addresses(200, "10.66.0"), 22)...)
			s.Flows(sessions(jump, addresses(200, "10.66.0"), 22)...)
		},
	})
}

// folded are the findings that stand for many, and how many stand for themselves.
func folded(found []alert.Finding) (folds []alert.Finding, alone int) {
	for _, f := range found {
		if strings.Contains(f.Summary, "One alert stands for") {
			folds = append(folds, f)
		}
	}
	return folds, len(found) - len(folds)
}

func TestSweeps(t *testing.T) {
	var scattered []flow // as many other ends as addresses of the zone
	for i := range 200 {
		scattered = append(scattered, session(fmt.Sprintf("198.18.1.%d", i+1), fmt.Sprintf("10.66.0.%d", i+40), 80)...)
	}
	var ports []flow
	for port := range uint16(200) {
		ports = append(ports, session(outside, mdf3, 1000+port)...)
	}
	place := " (RU, AS64500 Example Hosting)"
	for _, c := range []struct {
		name  string
		flows []flow
		alone int
		want  []string
		rows  uint64
	}{
		{"an asset at the limit", scan(mdf3, addresses(limit, "198.18.0")), limit, nil, 0},
		{"an asset sweeps addresses", scan(mdf3, addresses(200, "198.18.0")), limit, []string{
			"critical: mdf3-1 of li-east had traffic with 150 further addresses over SNMP (udp/161), which no rule of the inventory allows"}, 200},
		{"an asset of two addresses sweeps", append(scan(mdf2, addresses(100, "198.18.0")), scan("10.66.0.21", addresses(200, "198.18.0"))...), limit, []string{
			"critical: mdf2-1 of li-east had traffic with 150 further addresses over SNMP (udp/161), which no rule of the inventory allows"}, 300},
		{"an address sweeps the zone", sessions(outside, addresses(200, "10.66.0"), 22), limit + 3, []string{
			"critical: 203.0.113.66" + place + " had traffic with 146 further addresses of li-east over SSH (tcp/22), which no rule of the inventory allows"}, 400},
		{"an address sweeps the ports of an asset", ports, limit, []string{
			"critical: mdf3-1 of li-east had traffic with 203.0.113.66" + place + " over tcp/1050 and 149 other services, which no rule of the inventory allows"}, 400},
		{"many with many addresses that no asset owns", scattered, limit, []string{
			"critical: 150 further addresses of li-east that no asset owns had traffic with 150 further addresses over HTTP (tcp/80), which no rule of the inventory allows"}, 400},
		{"under a rule, but no asset", sessions(jump, addresses(200, "10.66.0"), 22), limit, []string{
			"medium: jump-1 (10.20.0.5, management) had traffic with 146 further addresses of li-east over SSH (tcp/22), though no asset owns the end in li-east"}, 400},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			stage := open(t)
			stage.Flows(c.flows...)
			folds, alone := folded(stage.Detect(detector(t), at(0), at(10*second)))
			if diff := cmp.Diff(append([]string{}, c.want...), detecttest.Titles(folds)); diff != "" {
				t.Errorf("folds (-want +got):\n%s", diff)
			}
			if alone != c.alone {
				t.Errorf("%d findings on their own, want %d", alone, c.alone)
			}
			for _, f := range folds {
				if rows := stage.Rows(f.SQL); rows != c.rows {
					t.Errorf("the query shows %d records, want %d:\n%s", rows, c.rows, f.SQL)
				}
			}
		})
	}
}

// TestSweepGoesOn has an asset sweep other addresses in each window: it stays one
// alert, and who got the most bytes has one of its own.
func TestSweepGoesOn(t *testing.T) {
	stage := open(t)
	for i, octets := range []string{"198.18.0", "198.18.1"} {
		flows := scan(mdf3, addresses(200, octets))
		flows[150].Packets, flows[150].Bytes = 1000, 900_000
		for j := range flows {
			flows[j].At = at(5*second + 10*second*time.Duration(i))
		}
		stage.Flows(flows...)
	}
	found := stage.Detect(detector(t), at(0), at(20*second))
	folds, _ := folded(found)
	if len(folds) != 2 || folds[0].ID != folds[1].ID {
		t.Fatalf("%d folds of two windows, want two of the same identity", len(folds))
	}
	for _, peer := range []string{"198.18.0.151", "198.18.1.151"} {
		if !slices.ContainsFunc(found, func(f alert.Finding) bool { return f.Peer.Addr.String() == peer && f.Flows == 1 }) {
			t.Errorf("the heaviest, %s, has no finding of its own", peer)
		}
	}
	if diff := cmp.Diff([]string{
		"150 conversations in a window of 10 seconds, beyond the 50 that have alerts of their own",
		"no rule of the inventory allows them, and li-east lets in only what a rule allows",
		"150 opened from the end in li-east",
		"with 198.18.0.50: 1.0 kB in 1 flow",
	}, folds[0].Reasons[:4]); diff != "" {
		t.Errorf("reasons (-want +got):\n%s", diff)
	}
	if n := folds[0].Flows; n != 150 {
		t.Errorf("%d flows, want 150", n)
	}
}
