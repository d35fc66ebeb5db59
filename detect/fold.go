package detect

import (
	"bytes"
	"cmp"
	"net/netip"
	"slices"
	"time"

	"tapwatch/flow"
)

// Folder makes sessions of watched flow records, pane by pane. What it gives for a pane
// depends on the records of the pane and of the Horizon before it, and on nothing else,
// wherever it began; what it keeps in memory is those records, added up. The zero Folder
// is not ready: see NewFolder. Not safe for concurrent use.
type Folder struct {
	// tuples are the five-tuples of the horizon.
	tuples map[tupleKey]*tuple
	// active are those of them with records in the pane.
	active []*tuple
	// senders is when, in milliseconds, each router last exported something that an
	// address sent, of those that meter every packet.
	senders map[sender]int64
	// ends holds what was known of ends, each once.
	ends map[End]*End
	// swept is when what is older than the horizon was last dropped.
	swept int64
}

// tupleKey is a five-tuple, told apart into its ends.
type tupleKey struct {
	asset, peer         [16]byte
	assetPort, peerPort uint16
	protocol            uint8
}

type sender struct {
	exporter, src [16]byte
}

// tuple is what was reported of a five-tuple in the horizon.
type tuple struct {
	key    tupleKey
	parts  []part // by pane, the latest last
	active int64  // the latest pane with records
	// asset and peer are the ends as the latest record has them.
	asset, peer *End
	endsAt      int64
}

// NewFolder returns a folder that has seen nothing.
func NewFolder() *Folder {
	return &Folder{tuples: map[tupleKey]*tuple{}, senders: map[sender]int64{}, ends: map[End]*End{}}
}

// Add takes the record of that row, which was received in the pane that begins at pane
// (Unix milliseconds). Panes must not go back.
func (f *Folder) Add(b *flow.Batch, row int, pane int64) {
	toAsset := b.AssetEnd[row] == flow.AssetDst
	k := tupleKey{asset: b.SrcAddr[row], peer: b.DstAddr[row], protocol: b.Protocol[row]}
	if hasPorts(k.protocol) {
		k.assetPort, k.peerPort = b.SrcPort[row], b.DstPort[row]
	}
	if toAsset {
		k.asset, k.peer = k.peer, k.asset
		k.assetPort, k.peerPort = k.peerPort, k.assetPort
	}
	t := f.tuples[k]
	if t == nil {
		t = &tuple{key: k, active: -1}
		f.tuples[k] = t
	}
	if t.active != pane {
		t.active = pane
		f.active = append(f.active, t)
	}
	t.part(pane, b.Exporter[row], b.Direction[row], toAsset).add(b, row)
	f.describe(t, b, row, toAsset)
	if b.SamplingInterval[row] <= 1 {
		f.senders[sender{b.Exporter[row], b.SrcAddr[row]}] = pane
	}
}

func hasPorts(protocol uint8) bool {
	switch protocol {
	case flow.ProtocolTCP, flow.ProtocolUDP, 33, 132, 136: // DCCP, SCTP, UDP-Lite
		return true
	default:
		return false
	}
}

// describe keeps what the latest record says of the ends. Of two records of one moment
// it is the one that comes later in the order of the words, so that the order in which
// they are read does not matter.
func (f *Folder) describe(t *tuple, b *flow.Batch, row int, toAsset bool) {
	at := b.ReceivedAt[row]
	if t.asset != nil && at < t.endsAt {
		return
	}
	src := End{Zone: b.SrcZone[row], Kind: b.SrcZoneKind[row], Name: b.SrcAsset[row], Role: b.SrcRole[row],
		Country: b.SrcCountry[row], ASN: b.SrcASN[row], ASOrg: b.SrcASOrg[row], Intel: b.SrcIntel[row]}
	dst := End{Zone: b.DstZone[row], Kind: b.DstZoneKind[row], Name: b.DstAsset[row], Role: b.DstRole[row],
		Country: b.DstCountry[row], ASN: b.DstASN[row], ASOrg: b.DstASOrg[row], Intel: b.DstIntel[row]}
	asset, peer := &src, &dst
	if toAsset {
		asset, peer = peer, asset
	}
	newer := t.asset == nil || at > t.endsAt
	if newer || compareEnds(asset, t.asset) > 0 {
		t.asset = f.end(asset)
	}
	if newer || compareEnds(peer, t.peer) > 0 {
		t.peer = f.end(peer)
	}
	t.endsAt = at
}

func (f *Folder) end(e *End) *End {
	known, ok := f.ends[*e]
	if !ok {
		known = new(End)
		*known = *e
		f.ends[*known] = known
	}
	return known
}

func compareEnds(a, b *End) int {
	return cmp.Or(cmp.Compare(a.Zone, b.Zone), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Role, b.Role),
		cmp.Compare(a.Country, b.Country), cmp.Compare(a.ASN, b.ASN), cmp.Compare(a.ASOrg, b.ASOrg), cmp.Compare(a.Intel, b.Intel))
}

// Pane ends the pane that begins at pane and returns its sessions, in the order of
// their ends.
func (f *Folder) Pane(pane int64) []Session {
	if len(f.active) == 0 {
		f.sweep(pane)
		return nil
	}
	slices.SortFunc(f.active, func(a, b *tuple) int { return compareTuples(&a.key, &b.key) })
	sessions := make([]Session, 0, len(f.active))
	since := pane - Horizon.Milliseconds()
	for _, t := range f.active {
		t.forget(since)
		j := judge{tuple: t, pane: pane, silent: func(exporter, addr [16]byte) bool {
			last, heard := f.senders[sender{exporter, addr}]
			return !heard || last < since
		}}
		sessions = append(sessions, j.session())
	}
	f.active = f.active[:0]
	f.sweep(pane)
	return sessions
}

func compareTuples(a, b *tupleKey) int {
	return cmp.Or(bytes.Compare(a.asset[:], b.asset[:]), bytes.Compare(a.peer[:], b.peer[:]),
		cmp.Compare(a.protocol, b.protocol), cmp.Compare(a.assetPort, b.assetPort), cmp.Compare(a.peerPort, b.peerPort))
}

// sweep drops, once in a horizon, what is older than one.
func (f *Folder) sweep(pane int64) {
	since := pane - Horizon.Milliseconds()
	if f.swept > since {
		return
	}
	f.swept = pane
	for k, t := range f.tuples {
		if t.active < since {
			delete(f.tuples, k)
		}
	}
	for s, last := range f.senders {
		if last < since {
			delete(f.senders, s)
		}
	}
	clear(f.ends) // those in use are in the tuples; a new record brings them back
}

// forget drops the parts of panes before since.
func (t *tuple) forget(since int64) {
	n := 0
	for n < len(t.parts) && t.parts[n].pane < since {
		n++
	}
	t.parts = slices.Delete(t.parts, 0, n)
}

// part gives the part of that pane, router, side and way; the latest parts are last.
func (t *tuple) part(pane int64, exporter [16]byte, direction int8, toAsset bool) *part {
	for i := len(t.parts) - 1; i >= 0 && t.parts[i].pane == pane; i-- {
		p := &t.parts[i]
		if p.exporter == exporter && p.direction == direction && p.toAsset == toAsset {
			return p
		}
	}
	t.parts = append(t.parts, part{reported: reported{exporter: exporter, direction: direction, toAsset: toAsset}, pane: pane})
	return &t.parts[len(t.parts)-1]
}

// milli is the moment of so many Unix milliseconds, in UTC.
func milli(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

func addr(a [16]byte) netip.Addr { return netip.AddrFrom16(a).Unmap() }
