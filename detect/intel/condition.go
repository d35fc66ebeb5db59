package intel

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"tapwatch/detect"
)

// condition selects the flow records of the group.
func (g *group) condition() string {
	var parts []string
	if g.asset != "" {
		parts = append(parts, g.hits[0].endCondition())
	}
	switch {
	case g.rule == rulePast:
		parts = append(parts, peersCondition(g.hits))
	case g.indicator != "":
		parts = append(parts, detect.SQLString(g.indicator)+" IN (src_intel, dst_intel)")
	default:
		list := detect.SQLString(g.list + ":")
		parts = append(parts, fmt.Sprintf("(startsWith(src_intel, %[1]s) OR startsWith(dst_intel, %[1]s))", list))
	}
	return strings.Join(parts, "\n    AND ")
}

// endCondition selects what the protected end of the hit took part in.
func (h *hit) endCondition() string {
	name := h.Asset().Name()
	switch {
	case !h.turned:
		return "asset = " + detect.SQLString(name)
	case h.AssetName != "":
		return fmt.Sprintf("%s IN (src_asset, dst_asset)", detect.SQLString(name))
	default:
		return fmt.Sprintf("toIPv6('%s') IN (src_addr, dst_addr)", name)
	}
}

// mostAddresses is how many addresses a query names.
const mostAddresses = 100

// peersCondition selects what the listed ends of the hits took part in.
func peersCondition(hits []hit) string {
	var peers []netip.Addr
	for i := range hits {
		peers = append(peers, hits[i].PeerAddr)
	}
	slices.SortFunc(peers, netip.Addr.Compare)
	peers = slices.Compact(peers)
	texts := make([]string, 0, mostAddresses)
	for _, p := range peers[:min(len(peers), mostAddresses)] {
		texts = append(texts, fmt.Sprintf("toIPv6('%s')", p))
	}
	return "peer IN (" + strings.Join(texts, ", ") + ")"
}
