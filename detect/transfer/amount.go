package transfer

import (
	"math"
	"net/netip"

	"tapwatch/detect"
	"tapwatch/detect/device"
)

// amount is what a transfer carried so far, from the device (out) and to it.
type amount struct {
	bytesOut, bytesIn, packetsOut uint64
	// sampling is the interval of the router that tells best; 0 or 1: every packet.
	sampling uint32
}

// amountOf is what a session carried in its pane; its asset is the device.
func amountOf(s *detect.Session) amount {
	return amount{s.BytesOut, s.BytesIn, s.PacketsOut, s.LeastSampling}
}

func (a *amount) add(b amount) {
	a.bytesOut += b.bytesOut
	a.bytesIn += b.bytesIn
	a.packetsOut += b.packetsOut
	a.sampling = max(a.sampling, b.sampling)
}

// carriesData tells whether the device sent more than acknowledgements: 60 bytes is the
// longest bare TCP packet over IPv4, 80 over IPv6, and one of TFTP is shorter. A device
// that fetches 10 MB acknowledges with 200 kB.
func (a *amount) carriesData(from netip.Addr) bool {
	header := uint64(60)
	if from.Is6() {
		header = 80
	}
	return a.bytesOut > a.packetsOut*header
}

// atLeast is the least that was sent with 95 % probability, in bytes. Where one of n
// packets is sampled, the k that were seen are a Poisson draw; the lower bound of its
// mean is that of Garwood (Biometrika 28, 1936), in the approximation of Wilson and
// Hilferty (PNAS 17, 1931): k(1 - 1/9k - 1.645/3√k)³.
func (a *amount) atLeast() float64 {
	if a.sampling <= 1 || a.packetsOut == 0 {
		return float64(a.bytesOut)
	}
	k := math.Max(1, float64(a.packetsOut)/float64(a.sampling))
	share := 1 - 1/(9*k) - 1.645/(3*math.Sqrt(k))
	return float64(a.bytesOut) * share * share * share
}

// sums is what was carried for each alert so far, by rule and key.
type sums map[[2]string]amount

func (s sums) add(h *device.Hit, a amount) {
	k := [2]string{h.Rule, h.Key}
	sum := s[k]
	sum.add(a)
	s[k] = sum
}

// of is what the transfers of the group carried.
func (s sums) of(g *device.Group) (sum amount) {
	seen := map[string]bool{}
	for i := range g.Hits {
		if h := &g.Hits[i]; !seen[h.Key] {
			seen[h.Key] = true
			sum.add(s[[2]string{h.Rule, h.Key}])
		}
	}
	return sum
}

// sameTuple tells whether two sessions are of one five-tuple, whoever is the asset.
func sameTuple(a, b *detect.Session) bool {
	if a.Protocol != b.Protocol {
		return false
	}
	return a.AssetAddr == b.AssetAddr && a.PeerAddr == b.PeerAddr && a.AssetPort == b.AssetPort && a.PeerPort == b.PeerPort ||
		a.AssetAddr == b.PeerAddr && a.PeerAddr == b.AssetAddr && a.AssetPort == b.PeerPort && a.PeerPort == b.AssetPort
}

// facing is the session with the same asset as v.
func facing(s, v *detect.Session) *detect.Session {
	if s.AssetAddr == v.AssetAddr {
		return s
	}
	t := s.Turned()
	return &t
}
