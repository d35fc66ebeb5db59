package geo

import (
	"cmp"
	"fmt"
	"net/netip"

	"tapwatch/alert"
	"tapwatch/detect"
	"tapwatch/inventory"
)

// breach is a conversation that breaks a fence.
type breach struct {
	*detect.Conversation
	fence    inventory.Fence
	reason   string
	severity alert.Severity
}

// fenceKey is what one alert about a fence stands for; what is empty differs.
type fenceKey struct{ fence, zone, asset, place string }

// fences finds what breaks fences.
func (d *Detector) fences(sessions []detect.Session, w detect.Window, inv *inventory.Inventory) []alert.Finding {
	if len(inv.Fences) == 0 {
		return nil
	}
	crosses := func(s *detect.Session) bool { return s.Asset.Zone != "" && s.Peer.Zone == "" && travels(s.PeerAddr) }
	conversations := detect.Converse(sessions, crosses, false)
	groups := map[fenceKey][]breach{}
	var order []fenceKey
	put := func(k fenceKey, some ...breach) {
		if groups[k] == nil {
			order = append(order, k)
		}
		groups[k] = append(groups[k], some...)
	}
	for i := range conversations {
		if b, broken := judge(&conversations[i], inv); broken {
			put(fenceKey{b.fence.Name, b.AssetZone, b.Asset().Name(), place(b.Conversation)}, b)
		}
	}
	perFence := map[string]int{}
	for _, k := range order {
		perFence[k.fence]++
	}
	singles := order
	order = nil
	for _, k := range singles { // what is too much of one fence folds into one
		if perFence[k.fence] > d.cfg.MaxPerFence {
			some := groups[k]
			delete(groups, k)
			put(fenceKey{fence: k.fence}, some...)
		} else {
			order = append(order, k)
		}
	}
	var all []alert.Finding
	for _, k := range order {
		all = append(all, finding(k, groups[k], w, inv))
	}
	return all
}

// judge tells whether the conversation breaks a fence.
func judge(c *detect.Conversation, inv *inventory.Inventory) (b breach, broken bool) {
	if _, held := inv.UnderMaintenance(c.FirstSeen, inventory.Subject{Zone: c.AssetZone, Asset: c.AssetName}); held {
		return breach{}, false
	}
	f, reason, broken := inv.BrokenFence(inventory.Crossing{
		Inside: c.AssetAddr, Zone: c.AssetZone, Kind: c.AssetZoneKind,
		Outside: c.PeerAddr, Country: c.PeerCountry, ASN: c.PeerASN, Opened: opened(c),
		Protocol: c.Protocol, Port: c.Port, At: c.At(),
	})
	if !broken {
		return breach{}, false
	}
	b = breach{Conversation: c, fence: f, reason: reason, severity: severityOf(c.AssetZoneKind)}
	if !c.Answered {
		b.severity-- // sent, and perhaps to nobody
	}
	return b, true
}

func opened(c *detect.Conversation) string {
	switch c.Initiator {
	case "asset":
		return inventory.FenceOut
	case "peer":
		return inventory.FenceIn
	default:
		return ""
	}
}

// travels tells whether packets to the address leave the link they are sent on.
func travels(addr netip.Addr) bool {
	return addr.IsValid() && !addr.IsUnspecified() && !addr.IsLoopback() && !addr.IsMulticast() && !addr.IsLinkLocalUnicast() &&
		addr != netip.AddrFrom4([4]byte{255, 255, 255, 255})
}

// place is where the outer end is, in short: its country, else its network.
func place(c *detect.Conversation) string {
	switch {
	case c.PeerCountry != "":
		return c.PeerCountry
	case c.PeerASN != 0:
		return fmt.Sprintf("AS%d", c.PeerASN)
	default:
		return "unknown"
	}
}

// heaviest is the gravest breach, and of those the one with the most bytes.
func heaviest(all []breach) *breach {
	i := 0
	for j := range all {
		a, b := &all[i], &all[j]
		if cmp.Or(cmp.Compare(b.severity, a.severity), cmp.Compare(b.BytesIn+b.BytesOut, a.BytesIn+a.BytesOut)) > 0 {
			i = j
		}
	}
	return &all[i]
}
