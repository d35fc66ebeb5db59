package orient

import (
	"tapwatch/flow"
	"tapwatch/inventory"
)

// The ranks of a port as a server's, the better the higher.
const (
	rankNone uint8 = iota
	rankLow        // below 1024
	rankKnown
	rankListed // in an allow rule
)

// rankTable ranks every port.
type rankTable struct {
	of *inventory.Inventory // whose allow rules are in it; nil none
	// One row for TCP, one for UDP, one for all other protocols with ports.
	ranks [3][1 << 16]uint8
}

// widestService is the most ports that a range of an allow rule may have to count
// as services: wider ones are for dynamic ports, which clients use as well.
const widestService = 256

func newRankTable(v *inventory.Inventory) *rankTable {
	t := &rankTable{of: v}
	for row := range t.ranks {
		for port := 1; port < 1024; port++ {
			t.ranks[row][port] = rankLow
		}
		for _, port := range knownServices {
			t.ranks[row][port] = rankKnown
		}
	}
	if v == nil {
		return t
	}
	for _, rule := range v.Allow {
		for _, ports := range rule.Ports {
			t.list(rule, int(ports.First), int(ports.Last))
		}
	}
	return t
}

// list ranks the ports of an allow rule.
func (t *rankTable) list(rule inventory.Rule, first, last int) {
	if last-first >= widestService {
		return
	}
	for row := range t.ranks {
		if !rule.AnyProtocol && row != rowOf(rule.Protocol) {
			continue
		}
		for port := first; port <= last; port++ {
			t.ranks[row][port] = rankListed
		}
	}
}

func (t *rankTable) rank(protocol uint8, port uint16) uint8 { return t.ranks[rowOf(protocol)][port] }

func rowOf(protocol uint8) int {
	switch protocol {
	case flow.ProtocolTCP:
		return 0
	case flow.ProtocolUDP:
		return 1
	default:
		return 2
	}
}
