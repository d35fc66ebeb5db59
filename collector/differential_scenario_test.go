package collector_test

import (
	"maps"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"tapwatch/collector/pcap"
	"tapwatch/internal/captures"
)

// scenario is some datagrams of one exporter with their templates.
type scenario struct {
	name      string
	datagrams [][]byte
}

// scenarios gives those of each protocol: the first datagrams of each exporter in the
// fixtures and the captures.
func scenarios(t testing.TB) map[string][]scenario {
	files, err := filepath.Glob(filepath.Join(fixtures, "*.pcap"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no fixtures: %v", err)
	}
	for _, c := range captures.Index(t) {
		files = append(files, c.Path)
	}
	const most = 5 // datagrams of one exporter are much alike
	all := make(map[string][]scenario)
	for _, file := range files {
		byExporter := make(map[netip.Addr][]pcap.Datagram)
		for _, g := range datagrams(t, file) {
			byExporter[g.From.Addr()] = append(byExporter[g.From.Addr()], g)
		}
		for _, from := range slices.SortedFunc(maps.Keys(byExporter), netip.Addr.Compare) {
			for protocol, magic := range differentialProtocols {
				s := scenario{name: filepath.Base(file)}
				for _, g := range byExporter[from] {
					if strings.HasPrefix(string(g.Payload), magic) && len(s.datagrams) < most {
						s.datagrams = append(s.datagrams, g.Payload)
					}
				}
				if len(s.datagrams) > 0 {
					all[protocol] = append(all[protocol], s)
				}
			}
		}
	}
	return all
}
