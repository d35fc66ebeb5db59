package detect

import (
	"bytes"
	"cmp"
	"math"
	"net/netip"
	"slices"

	"tapwatch/flow"
)

// judge makes the session of one five-tuple in one pane.
type judge struct {
	*tuple
	pane int64
	// silent tells whether a router that meters every packet has exported nothing, in the
	// horizon, that the address sent.
	silent func(exporter, addr [16]byte) bool
	in     way // toward the asset
	out    way // toward the peer
}

// way is one direction of the session, over all routers.
type way struct {
	seen       bool
	most       *report // the router that tells best, of those that reported it in the pane
	packetsMax uint64  // of one router, in the horizon
	reports    []report
	reported   // evidence of all of them together
	proof      bool
}

// report is what one router said of one way at one side, in the horizon.
type report struct {
	reported
	packetsEver uint64
	paneStart   int64
	paneEnd     int64
	panePackets uint64
}

func (j *judge) session() Session {
	for i := range j.parts {
		j.take(&j.parts[i])
	}
	j.in.sum(j.silent, j.key.asset)
	j.out.sum(j.silent, j.key.peer)
	s := Session{
		Pane: milli(j.pane), AssetAddr: addr(j.key.asset), PeerAddr: addr(j.key.peer),
		AssetPort: j.key.assetPort, PeerPort: j.key.peerPort, Protocol: j.key.protocol,
		AssetTried: j.out.syn, PeerTried: j.in.syn, AssetSpoke: j.out.data, PeerSpoke: j.in.data,
		FlagsIn: j.in.flags, FlagsOut: j.out.flags, Asset: *j.asset, Peer: *j.peer,
	}
	s.Initiator = j.initiator()
	s.Answered = j.answered()
	s.Established = s.Answered || j.key.protocol == flow.ProtocolTCP && (j.in.proof || j.out.proof) || j.in.sentByOurs || j.out.sentByOurs
	s.AssetServes = j.assetServes(s.Initiator)
	s.Port = s.PeerPort
	if s.AssetServes {
		s.Port = s.AssetPort
	}
	j.amounts(&s)
	return s
}

// take adds a part to the report of its router, side and way.
func (j *judge) take(p *part) {
	w := &j.out
	if p.toAsset {
		w = &j.in
	}
	w.seen = true
	inside := p.pane == j.pane
	i := slices.IndexFunc(w.reports, func(r report) bool { return r.exporter == p.exporter && r.direction == p.direction })
	if i < 0 {
		i = len(w.reports)
		w.reports = append(w.reports, report{reported: reported{exporter: p.exporter, direction: p.direction, toAsset: p.toAsset}})
	}
	r := &w.reports[i]
	r.join(p, inside)
	r.startedAt = least(r.startedAt, p.startedAt)
	r.packetsEver += p.packets
	if inside {
		r.panePackets += p.packets
		r.paneStart, r.paneEnd = least(r.paneStart, p.startedAt), max(r.paneEnd, p.flowEnd)
	}
}

// sum adds up the routers' reports of one way, toward to.
func (w *way) sum(silent func(exporter, addr [16]byte) bool, to [16]byte) {
	// Whatever the order of the records, which is not that in which they come back.
	slices.SortFunc(w.reports, func(a, b report) int {
		return cmp.Or(bytes.Compare(a.exporter[:], b.exporter[:]), cmp.Compare(a.direction, b.direction))
	})
	for i := range w.reports {
		r := &w.reports[i]
		w.packetsMax = max(w.packetsMax, r.packetsEver)
		w.startedAt = least(w.startedAt, r.startedAt)
		w.peerVotes += r.peerVotes
		w.assetVotes += r.assetVotes
		w.flags |= r.flags
		w.big, w.data, w.answer = w.big || r.big, w.data || r.data, w.answer || r.answer
		w.syn, w.flagless = w.syn || r.syn, w.flagless || r.flagless
		w.sent, w.sentByOurs, w.heard = w.sent || r.sent, w.sentByOurs || r.sentByOurs, w.heard || r.heard
		w.proof = w.proof || r.dataSure || r.dataOne && silent(r.exporter, to)
		if r.flows > 0 && (w.most == nil || better(r, w.most)) {
			w.most = r
		}
	}
}

// better tells whether a tells the amounts better than b: it samples less, or counted
// more; addresses and sides decide between equals, so that order does not.
func better(a, b *report) bool {
	return cmp.Or(cmp.Compare(known(a.sampling), known(b.sampling)), cmp.Compare(b.bytes, a.bytes), cmp.Compare(b.flows, a.flows),
		bytes.Compare(a.exporter[:], b.exporter[:]), cmp.Compare(a.direction, b.direction)) < 0
}

// known puts a sampling interval that was not said behind all that were.
func known(sampling uint32) uint32 {
	if sampling == 0 {
		return math.MaxUint32
	}
	return sampling
}

// answered tells whether both ends took part.
func (j *judge) answered() bool {
	in, out := &j.in, &j.out
	switch j.key.protocol {
	case flow.ProtocolTCP:
		return in.data && out.answer || out.data && in.answer || (in.flagless || out.flagless) && j.bothSpeak() && (in.big || out.big)
	case 132:
		return j.bothSpeak() && in.big && out.big
	default:
		return in.sent && out.heard || out.sent && in.heard
	}
}

func (j *judge) bothSpeak() bool { return j.in.packetsMax >= 2 && j.out.packetsMax >= 2 }

// initiator is who opened it: the first that decides of a SYN without ACK, the ports
// that are known as a service, and whose first packet one router saw earlier.
func (j *judge) initiator() string {
	peerVotes, assetVotes := j.in.peerVotes+j.out.peerVotes, j.in.assetVotes+j.out.assetVotes
	switch {
	case !hasPorts(j.key.protocol) && j.key.protocol != 1 && j.key.protocol != 58:
		return ""
	case j.in.syn && !j.out.syn:
		return "peer"
	case j.out.syn && !j.in.syn:
		return "asset"
	case peerVotes > 0 && assetVotes == 0:
		return "peer"
	case assetVotes > 0 && peerVotes == 0:
		return "asset"
	}
	switch earlier := j.earlier(); {
	case earlier > 0:
		return "peer"
	case earlier < 0:
		return "asset"
	default:
		return ""
	}
}

// earlier counts the routers that saw the peer's SYN before the asset's, less those
// that saw it after.
func (j *judge) earlier() (n int) {
	for i := range j.in.reports {
		for o := range j.out.reports {
			a, b := &j.in.reports[i], &j.out.reports[o]
			if a.openedAt != 0 && b.openedAt != 0 && a.exporter == b.exporter {
				n += cmp.Compare(b.openedAt, a.openedAt)
			}
		}
	}
	return n
}

// assetServes tells whether the service port is the asset's: it is the server's, and
// without a known initiator the lower one.
func (j *judge) assetServes(initiator string) bool {
	switch {
	case initiator == "peer":
		return true
	case initiator == "asset":
		return false
	case j.key.peerPort == 0:
		return true
	case j.key.assetPort == 0:
		return false
	default:
		return j.key.assetPort < j.key.peerPort
	}
}

// amounts fills in what the session carried in the pane.
func (j *judge) amounts(s *Session) {
	var first, last, start, end, started int64
	leastSampling := uint32(math.MaxUint32)
	for _, w := range []*way{&j.in, &j.out} {
		started = least(started, w.startedAt)
		if w.most == nil {
			continue
		}
		s.Flows += w.most.flows
		leastSampling = min(leastSampling, known(w.most.sampling))
		for i := range w.reports {
			r := &w.reports[i]
			if r.flows == 0 {
				continue
			}
			first, last = least(first, r.firstSeen), max(last, r.lastSeen)
			start, end = least(start, r.paneStart), max(end, r.paneEnd)
			s.Sampling = max(s.Sampling, r.sampling)
		}
		s.Sightings = append(s.Sightings, w.sightings()...)
	}
	if m := j.in.most; m != nil {
		s.BytesIn, s.PacketsIn = m.bytes, m.panePackets
	}
	if m := j.out.most; m != nil {
		s.BytesOut, s.PacketsOut = m.bytes, m.panePackets
	}
	if leastSampling != math.MaxUint32 {
		s.LeastSampling = leastSampling
	}
	s.FirstSeen, s.LastSeen = milli(first), milli(last)
	s.FlowStart, s.FlowEnd, s.StartedAt = milli(start), milli(end), milli(started)
}

// sightings are what each router saw in the pane: of its two sides, the one that saw
// more, with the interface by which it came in where either side says.
func (w *way) sightings() []SessionSighting {
	var all []SessionSighting
	for i := range w.reports {
		r := &w.reports[i]
		if r.flows == 0 {
			continue
		}
		s := SessionSighting{Exporter: addr(r.exporter), ToAsset: r.toAsset, Sampling: r.sampling, InIf: r.inIf,
			Flows: r.flows, Bytes: r.bytes, Packets: r.panePackets}
		if r.unsampled {
			s.Sampling = 0
		}
		k := slices.IndexFunc(all, func(x SessionSighting) bool { return x.Exporter == s.Exporter })
		if k < 0 {
			all = append(all, s)
			continue
		}
		inIf := all[k].InIf
		if r.direction == flow.DirectionIngress || inIf == 0 {
			inIf = cmp.Or(s.InIf, inIf)
		}
		if s.Bytes > all[k].Bytes || s.Bytes == all[k].Bytes && s.Flows > all[k].Flows {
			all[k] = s
		}
		all[k].InIf = inIf
	}
	slices.SortFunc(all, func(a, b SessionSighting) int { return compareAddr(a.Exporter, b.Exporter) })
	return all
}

func compareAddr(a, b netip.Addr) int { return a.Compare(b) }
