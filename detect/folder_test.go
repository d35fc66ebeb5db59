package detect_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"tapwatch/detect"
	flows "tapwatch/flow"
)

// A few addresses of each kind, so that records meet.
var (
	folderRouters = addrs("10.30.0.1", "10.30.0.2", "2001:db8::30")
	folderAssets  = addrs("10.66.0.30", "10.40.1.10", "2001:db8:66::1")
	folderPeers   = addrs("203.0.113.66", "198.51.100.13", "10.40.1.10", "2001:db8:ffff::1")
)

func addrs(texts ...string) []netip.Addr {
	all := make([]netip.Addr, len(texts))
	for i, t := range texts {
		all[i] = netip.MustParseAddr(t)
	}
	return all
}

// folderStart is the first pane of the tests of Folder.
const folderStart = int64(1_790_000_000_000)

// draw gives a number below n.
type draw func(n int) int

func pick[T any](d draw, from ...T) T { return from[d(len(from))] }

// drawRecords makes n records of a time of three horizons, in the order in which they
// were received; many share a millisecond, a five-tuple, a router.
func drawRecords(d draw, n int) []record {
	all := make([]record, n)
	at := folderStart
	for i := range all {
		at += pick[int64](d, 0, 0, 1, 700, 2_000, 2_000, 10_000, 45_000, 130_000)
		all[i] = drawRecord(d, at)
	}
	return all
}

func drawRecord(d draw, at int64) record {
	r := record{
		received: at, exporter: pick(d, folderRouters...), direction: int8(d(3)), initiator: int8(d(3)),
		assetEnd: pick(d, flows.AssetSrc, flows.AssetDst), version: pick[uint8](d, 4, 6), icmp: pick[uint8](d, 0, 3, 8, 128, 129),
		protocol: pick[uint8](d, 6, 6, 6, 6, 17, 17, 132, 1, 58, 47), flags: pick[uint16](d, 0, 2, 18, 16, 24, 20, 4, 27),
		sampling: pick[uint32](d, 1, 1, 1, 0, 100), inIf: pick[uint32](d, 0, 1, 2), packets: pick[uint64](d, 1, 1, 2, 9),
		start: pick(d, 0, at-pick[int64](d, 1, 1_000, 1_000, 1_800_000), at+5, 5, 1<<61), end: pick(d, 0, at-1, at+60_000, 7, 1<<61),
	}
	r.bytes = r.packets * pick[uint64](d, 40, 60, 61, 1000)
	asset, peer := pick(d, folderAssets...), pick(d, folderPeers...)
	port, client := pick[uint16](d, 22, 443), pick[uint16](d, 22, 40_000, 40_001)
	if d(2) == 0 {
		port, client = client, port
	}
	known := flows.End{Zone: pick(d, "li-east", "li-west"), Kind: pick(d, flows.ZoneLawfulIntercept, flows.ZoneCore), Name: "mdf"}
	other := flows.End{Kind: pick(d, "", flows.ZoneCore), Country: pick(d, "RU", "NL"), ASN: uint32(d(2)), Intel: pick(d, "", "list:x")}
	if r.assetEnd == flows.AssetDst {
		r.src, r.dst, r.srcPort, r.dstPort, r.srcEnd, r.dstEnd = peer, asset, client, port, other, known
	} else {
		r.src, r.dst, r.srcPort, r.dstPort, r.srcEnd, r.dstEnd = asset, peer, port, client, known, other
	}
	return r
}

// batch puts records into a batch as ReadWatched does.
func batch(records []record) *flows.Batch {
	b := new(flows.Batch)
	b.Grow(len(records))
	for i := range records {
		r := &records[i]
		b.ReceivedAt[i], b.StartAt[i], b.EndAt[i] = r.received, r.start, r.end
		b.Exporter[i], b.SrcAddr[i], b.DstAddr[i] = r.exporter.As16(), r.src.As16(), r.dst.As16()
		b.SrcPort[i], b.DstPort[i], b.Protocol[i] = r.srcPort, r.dstPort, r.protocol
		b.IPVersion[i], b.ICMPType[i], b.TCPFlags[i] = r.version, r.icmp, r.flags
		b.SamplingInterval[i], b.InIf[i], b.Bytes[i], b.Packets[i] = r.sampling, r.inIf, r.bytes, r.packets
		b.Direction[i], b.Initiator[i], b.AssetEnd[i] = r.direction, r.initiator, r.assetEnd
		b.SrcZone[i], b.SrcZoneKind[i], b.SrcAsset[i], b.SrcRole[i] = r.srcEnd.Zone, r.srcEnd.Kind, r.srcEnd.Name, r.srcEnd.Role
		b.SrcCountry[i], b.SrcASN[i], b.SrcASOrg[i], b.SrcIntel[i] = r.srcEnd.Country, r.srcEnd.ASN, r.srcEnd.ASOrg, r.srcEnd.Intel
		b.DstZone[i], b.DstZoneKind[i], b.DstAsset[i], b.DstRole[i] = r.dstEnd.Zone, r.dstEnd.Kind, r.dstEnd.Name, r.dstEnd.Role
		b.DstCountry[i], b.DstASN[i], b.DstASOrg[i], b.DstIntel[i] = r.dstEnd.Country, r.dstEnd.ASN, r.dstEnd.ASOrg, r.dstEnd.Intel
	}
	return b
}

// folded is what a Folder makes of the panes in [from, to); records before from are only
// shown to it from first on.
func folded(records []record, first, from, to int64) map[int64][]detect.Session {
	f := detect.NewFolder()
	all := map[int64][]detect.Session{}
	step := flows.Pane.Milliseconds()
	b, row := batch(records), 0
	for row < len(records) && records[row].pane() < first {
		row++
	}
	for pane := first; pane < to; pane += step {
		for ; row < len(records) && records[row].pane() == pane; row++ {
			f.Add(b, row, pane)
		}
		if s := f.Pane(pane); pane >= from && len(s) > 0 {
			all[pane] = s
		}
	}
	return all
}

// shuffled puts the records of each pane into another order.
func shuffled(records []record, r *rand.Rand) []record {
	all := slices.Clone(records)
	for i := 0; i < len(all); {
		n := i
		for n < len(all) && all[n].pane() == all[i].pane() {
			n++
		}
		r.Shuffle(n-i, func(a, b int) { all[i+a], all[i+b] = all[i+b], all[i+a] })
		i = n
	}
	return all
}

var equalSessions = cmp.Options{cmpopts.EquateComparable(netip.Addr{}), cmpopts.EquateEmpty()}

// checkFolder holds what a Folder makes of records against the definition, whatever
// order those of a pane come in and wherever it began.
func checkFolder(t *testing.T, records []record, r *rand.Rand) (sessions int) {
	t.Helper()
	if len(records) == 0 {
		return 0
	}
	end := records[len(records)-1].pane() + flows.Pane.Milliseconds()
	want := map[int64][]detect.Session{}
	for i := range records {
		if pane := records[i].pane(); want[pane] == nil {
			want[pane] = reference(records, pane)
			sessions += len(want[pane])
		}
	}
	check := func(how string, got, want map[int64][]detect.Session) {
		t.Helper()
		if diff := cmp.Diff(want, got, equalSessions); diff != "" {
			t.Fatalf("%s (-by definition +folded):\n%s", how, diff)
		}
	}
	check("in the order received", folded(records, folderStart, folderStart, end), want)
	check("in another order within panes", folded(shuffled(records, r), folderStart, folderStart, end), want)
	// Begun in the middle, a horizon and some panes before what is compared.
	panes := (end - folderStart) / flows.Pane.Milliseconds()
	from := folderStart + r.Int64N(panes)*flows.Pane.Milliseconds()
	late := map[int64][]detect.Session{}
	for pane, s := range want {
		if pane >= from {
			late[pane] = s
		}
	}
	primed := from - flows.Horizon.Milliseconds() - r.Int64N(3)*flows.Pane.Milliseconds()
	check(fmt.Sprintf("begun %v in", time.Duration(primed-folderStart)*time.Millisecond), folded(records, primed, from, end), late)
	return sessions
}

func TestFolderDoesWhatItsDefinitionSays(t *testing.T) {
	for seed := range uint64(100) {
		r := rand.New(rand.NewPCG(seed, 5))
		records := drawRecords(r.IntN, 120)
		if n := checkFolder(t, records, r); n < 20 {
			t.Fatalf("seed %d: only %d sessions", seed, n)
		}
	}
}

func FuzzFolder(f *testing.F) {
	f.Add([]byte("a router and another one"), uint64(1))
	f.Fuzz(func(t *testing.T, script []byte, seed uint64) {
		next := 0
		d := func(n int) int {
			if next == len(script) {
				return 0
			}
			next++
			return int(script[next-1]) % n
		}
		checkFolder(t, drawRecords(d, min(60, 1+len(script)/15)), rand.New(rand.NewPCG(seed, 1)))
	})
}
