package detect_test

import (
	"bytes"
	"cmp"
	"math"
	"net/netip"
	"slices"
	"time"

	"tapwatch/detect"
	flows "tapwatch/flow"
)

// record is a watched flow record of the tests of Folder.
type record struct {
	received, start, end    int64 // Unix milliseconds; 0 not said
	exporter, src, dst      netip.Addr
	srcPort, dstPort        uint16
	protocol, version, icmp uint8
	flags                   uint16
	sampling, inIf          uint32
	bytes, packets          uint64
	direction, initiator    int8
	assetEnd                int8
	srcEnd, dstEnd          flows.End
}

func (r *record) pane() int64   { return r.received - r.received%flows.Pane.Milliseconds() }
func (r *record) toAsset() bool { return r.assetEnd == flows.AssetDst }
func (r *record) times() uint64 { return uint64(max(r.sampling, 1)) }
func (r *record) big() bool {
	return r.bytes > r.packets*map[uint8]uint64{4: 60, 6: 80}[r.version]
}
func (r *record) has(flag uint16) bool { return r.flags&flag != 0 }
func (r *record) data() bool {
	return r.protocol == 6 && r.has(16) && (r.has(8) || r.big() && !r.has(4) && !r.has(2))
}
func (r *record) answers() bool {
	return r.protocol == 6 && r.has(16) && (!r.has(4) || r.has(2) || r.has(8) || r.big())
}
func (r *record) opens() bool { return r.protocol == 6 && r.has(2) && !r.has(16) }
func (r *record) ours() bool  { return r.assetEnd == flows.AssetSrc || r.srcEnd.Protected() }
func (r *record) isError() bool {
	return r.protocol == 1 && slices.Contains([]uint8{3, 4, 5, 11, 12}, r.icmp) || r.protocol == 58 && r.icmp >= 1 && r.icmp <= 4
}
func (r *record) isReply() bool {
	return r.protocol == 1 && slices.Contains([]uint8{0, 10, 14, 16, 18}, r.icmp) || r.protocol == 58 && (r.icmp == 129 || r.icmp == 136)
}

// counted tells whether the protocol is one that is judged by who sent and who heard.
func (r *record) counted() bool { return r.protocol != 6 && r.protocol != 132 }
func (r *record) sent() bool    { return r.counted() && !r.isError() && !r.isReply() }
func (r *record) heard() bool   { return r.counted() && !r.isError() }

// The exporter's times; what cannot be is not said.
func (r *record) told() bool { return possible(r.start) }
func (r *record) began() int64 {
	if r.told() {
		return r.start
	}
	return r.received
}
func (r *record) ended() int64 {
	if possible(r.end) {
		return r.end
	}
	return r.received
}

func possible(ms int64) bool {
	t := time.UnixMilli(ms).UTC()
	return t.After(time.Date(1971, 1, 1, 0, 0, 0, 0, time.UTC)) && t.Before(time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC))
}

// tuple is a five-tuple by its ends.
type tuple struct {
	asset, peer         netip.Addr
	protocol            uint8
	assetPort, peerPort uint16
}

func (r *record) tuple() tuple {
	t := tuple{asset: r.src, peer: r.dst, protocol: r.protocol}
	if slices.Contains([]uint8{6, 17, 33, 132, 136}, r.protocol) {
		t.assetPort, t.peerPort = r.srcPort, r.dstPort
	}
	if r.toAsset() {
		t.asset, t.peer, t.assetPort, t.peerPort = t.peer, t.asset, t.peerPort, t.assetPort
	}
	return t
}

// reference makes the sessions of a pane by their definition: it looks at all records of
// the pane and the horizon before it.
func reference(all []record, pane int64) []detect.Session {
	var horizon []*record
	active := map[tuple]bool{}
	for i := range all {
		r := &all[i]
		if r.pane() < pane-flows.Horizon.Milliseconds() || r.pane() > pane {
			continue
		}
		horizon = append(horizon, r)
		if r.pane() == pane {
			active[r.tuple()] = true
		}
	}
	var sessions []detect.Session
	for t := range active {
		sessions = append(sessions, referenceSession(t, pane, horizon))
	}
	slices.SortFunc(sessions, func(a, b detect.Session) int {
		x, y, v, w := a.AssetAddr.As16(), b.AssetAddr.As16(), a.PeerAddr.As16(), b.PeerAddr.As16()
		return cmp.Or(bytes.Compare(x[:], y[:]), bytes.Compare(v[:], w[:]), cmp.Compare(a.Protocol, b.Protocol),
			cmp.Compare(a.AssetPort, b.AssetPort), cmp.Compare(a.PeerPort, b.PeerPort))
	})
	return sessions
}

func referenceSession(t tuple, pane int64, horizon []*record) detect.Session {
	var ways [2][]*record // out, in
	var now [2][]*record
	for _, r := range horizon {
		if r.tuple() != t {
			continue
		}
		w := 0
		if r.toAsset() {
			w = 1
		}
		ways[w] = append(ways[w], r)
		if r.pane() == pane {
			now[w] = append(now[w], r)
		}
	}
	out, in := ways[0], ways[1]
	both, current := slices.Concat(out, in), slices.Concat(now[0], now[1])
	s := detect.Session{
		Pane: milli(pane), AssetAddr: t.asset, PeerAddr: t.peer, AssetPort: t.assetPort, PeerPort: t.peerPort, Protocol: t.protocol,
		AssetTried: some(out, (*record).opens), PeerTried: some(in, (*record).opens),
		AssetSpoke: some(out, (*record).data), PeerSpoke: some(in, (*record).data),
		FirstSeen: earliest(current, func(r *record) int64 { return r.received }), LastSeen: latest(current, func(r *record) int64 { return r.received }),
		FlowStart: earliest(current, (*record).began), FlowEnd: latest(current, (*record).ended), StartedAt: earliest(both, (*record).began),
	}
	for _, r := range now[0] {
		s.FlagsOut |= r.flags
	}
	for _, r := range now[1] {
		s.FlagsIn |= r.flags
	}
	s.Asset, s.Peer = latestEnds(current)
	s.Answered = answered(t.protocol, in, out)
	ours := func(r *record) bool { return r.sent() && r.ours() }
	s.Established = s.Answered || some(both, ours) || proof(in, t.asset, horizon) || proof(out, t.peer, horizon)
	s.Initiator = opener(t, in, out)
	switch {
	case s.Initiator != "":
		s.AssetServes = s.Initiator == "peer"
	case t.peerPort == 0:
		s.AssetServes = true
	default:
		s.AssetServes = t.assetPort != 0 && t.assetPort < t.peerPort
	}
	s.Port = t.peerPort
	if s.AssetServes {
		s.Port = t.assetPort
	}
	least := unknown
	for w, records := range now {
		sides := sidesOf(records)
		if len(sides) == 0 {
			continue
		}
		best := slices.MinFunc(sides, func(a, b side) int {
			return cmp.Or(cmp.Compare(a.interval(), b.interval()), cmp.Compare(b.bytes, a.bytes), cmp.Compare(b.flows, a.flows),
				a.exporter.Compare(b.exporter), cmp.Compare(a.direction, b.direction))
		})
		s.Flows += best.flows
		least = min(least, best.interval())
		if w == 1 {
			s.BytesIn, s.PacketsIn = best.bytes, best.packets
		} else {
			s.BytesOut, s.PacketsOut = best.bytes, best.packets
		}
		for _, x := range sides {
			s.Sampling = max(s.Sampling, x.sampling)
		}
	}
	if least != unknown {
		s.LeastSampling = least
	}
	s.Sightings = append(sightingsOf(now[1], true), sightingsOf(now[0], false)...)
	return s
}

// opener is who opened it: who sent a SYN without ACK; where that says nothing, whom all
// records' ports name; where they do not agree, whose SYN more routers saw earlier.
func opener(t tuple, in, out []*record) string {
	if !slices.Contains([]uint8{1, 6, 17, 33, 58, 132, 136}, t.protocol) {
		return ""
	}
	peer, asset := some(in, (*record).opens), some(out, (*record).opens)
	if peer == asset {
		src := func(r *record) bool { return r.initiator == flows.InitiatorSrc }
		dst := func(r *record) bool { return r.initiator == flows.InitiatorDst }
		peer, asset = some(in, src) || some(out, dst), some(out, src) || some(in, dst)
	}
	if peer == asset {
		votes := 0
		for _, a := range synTimes(in) {
			for _, b := range synTimes(out) {
				if a.exporter == b.exporter {
					votes += cmp.Compare(b.at, a.at)
				}
			}
		}
		peer, asset = votes > 0, votes < 0
	}
	switch {
	case peer:
		return "peer"
	case asset:
		return "asset"
	default:
		return ""
	}
}

type synTime struct {
	exporter  netip.Addr
	direction int8
	at        int64
}

// synTimes are the earliest SYN of each side of each router.
func synTimes(records []*record) (all []synTime) {
	for _, r := range records {
		if r.protocol != 6 || !r.has(2) || !r.told() {
			continue
		}
		i := slices.IndexFunc(all, func(x synTime) bool { return x.exporter == r.exporter && x.direction == r.direction })
		if i < 0 {
			all = append(all, synTime{r.exporter, r.direction, r.start})
			continue
		}
		all[i].at = min(all[i].at, r.start)
	}
	return all
}

// answered tells whether both ends took part.
func answered(protocol uint8, in, out []*record) bool {
	talk := mostPackets(in) >= 2 && mostPackets(out) >= 2
	switch protocol {
	case 6:
		flagless := func(r *record) bool { return r.flags == 0 }
		return some(in, (*record).data) && some(out, (*record).answers) || some(out, (*record).data) && some(in, (*record).answers) ||
			talk && (some(in, flagless) || some(out, flagless)) && (some(in, (*record).big) || some(out, (*record).big))
	case 132:
		return talk && some(in, (*record).big) && some(out, (*record).big)
	default:
		return some(in, (*record).sent) && some(out, (*record).heard) || some(out, (*record).sent) && some(in, (*record).heard)
	}
}

// proof tells whether data toward one end alone shows that there was a session.
func proof(records []*record, to netip.Addr, horizon []*record) bool {
	return some(records, func(r *record) bool {
		if !r.data() {
			return false
		}
		return r.ours() || r.sampling > 1 || !some(horizon, func(x *record) bool {
			return x.exporter == r.exporter && x.src == to && x.sampling <= 1
		})
	})
}

// side is what one side of a router reported in the pane, one way.
type side struct {
	exporter              netip.Addr
	direction             int8
	sampling, inIf        uint32
	unsampled             bool
	flows, bytes, packets uint64
}

const unknown = uint32(math.MaxUint32)

func (s *side) interval() uint32 {
	if s.sampling == 0 {
		return unknown
	}
	return s.sampling
}

// sidesOf are in the order of routers and directions.
func sidesOf(records []*record) (sides []side) {
	for _, r := range records {
		i := slices.IndexFunc(sides, func(s side) bool { return s.exporter == r.exporter && s.direction == r.direction })
		if i < 0 {
			i = len(sides)
			sides = append(sides, side{exporter: r.exporter, direction: r.direction})
		}
		s := &sides[i]
		s.flows++
		s.bytes += r.bytes * r.times()
		s.packets += r.packets * r.times()
		s.sampling, s.inIf, s.unsampled = max(s.sampling, r.sampling), max(s.inIf, r.inIf), s.unsampled || r.sampling == 0
	}
	slices.SortFunc(sides, func(a, b side) int {
		return cmp.Or(a.exporter.Compare(b.exporter), cmp.Compare(a.direction, b.direction))
	})
	return sides
}

// sightingsOf are, of the sides of each router, the one that saw more, with the
// interface that the ingress side names, else whichever names one.
func sightingsOf(records []*record, toAsset bool) (all []detect.SessionSighting) {
	sides := sidesOf(records)
	for i := 0; i < len(sides); {
		n := i
		for n < len(sides) && sides[n].exporter == sides[i].exporter {
			n++
		}
		best, inIf, said := sides[i], uint32(0), int8(-1)
		for _, s := range sides[i:n] {
			if s.bytes > best.bytes || s.bytes == best.bytes && s.flows > best.flows {
				best = s
			}
			if s.inIf != 0 && (said < 0 || s.direction == flows.DirectionIngress) {
				inIf, said = s.inIf, s.direction
			}
		}
		if best.unsampled {
			best.sampling = 0
		}
		all = append(all, detect.SessionSighting{Exporter: best.exporter, ToAsset: toAsset, Sampling: best.sampling, InIf: inIf,
			Flows: best.flows, Bytes: best.bytes, Packets: best.packets})
		i = n
	}
	return all
}

// latestEnds is what the latest records say of the ends, of several the last in the
// order of the words.
func latestEnds(records []*record) (asset, peer flows.End) {
	last := slices.MaxFunc(records, func(a, b *record) int { return cmp.Compare(a.received, b.received) }).received
	first := true
	for _, r := range records {
		if r.received != last {
			continue
		}
		a, p := r.srcEnd, r.dstEnd
		if r.toAsset() {
			a, p = p, a
		}
		if first || words(a, asset) > 0 {
			asset = a
		}
		if first || words(p, peer) > 0 {
			peer = p
		}
		first = false
	}
	return asset, peer
}

func words(a, b flows.End) int {
	return cmp.Or(cmp.Compare(a.Zone, b.Zone), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Role, b.Role),
		cmp.Compare(a.Country, b.Country), cmp.Compare(a.ASN, b.ASN), cmp.Compare(a.ASOrg, b.ASOrg), cmp.Compare(a.Intel, b.Intel))
}

// mostPackets is the most packets that one side of one router reported, in all.
func mostPackets(records []*record) uint64 {
	var most uint64
	for _, s := range sidesOf(records) {
		most = max(most, s.packets)
	}
	return most
}

func some(records []*record, holds func(*record) bool) bool {
	return slices.ContainsFunc(records, holds)
}

func earliest(records []*record, of func(*record) int64) time.Time {
	least := int64(math.MaxInt64)
	for _, r := range records {
		least = min(least, of(r))
	}
	return milli(least)
}

func latest(records []*record, of func(*record) int64) time.Time {
	most := int64(math.MinInt64)
	for _, r := range records {
		most = max(most, of(r))
	}
	return milli(most)
}

func milli(ms int64) time.Time { return time.UnixMilli(ms).UTC() }
