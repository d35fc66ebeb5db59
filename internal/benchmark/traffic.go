package main

import (
	"math/rand/v2"
	"net/netip"
)

// The realistic population: a carrier's own hosts, and hosts of the rest of the world
// of which few are in most records.
const (
	worldHosts      = 50_000
	subscriberHosts = 20_000
	// P(k-th host of the world) ~ (k+zipfOffset)^-zipfExponent: the first has 0.9 %
	// of the records, the first thousand 60 %.
	zipfExponent, zipfOffset = 1.1, 20
	// One record in coreOneIn is of the carrier's own systems, which the example
	// inventory has zones for; the others are of subscribers.
	coreOneIn = 50
)

// traffic draws records. The same seed gives the same records.
type traffic struct {
	random      *rand.Rand
	zipf        *rand.Zipf
	world       []uint32
	subscribers []uint32
	now         int64
	uniform     bool
}

// newTraffic draws records that end before now. uniform: both ends are any address of
// the public internet, which no cache can know.
func newTraffic(seed uint64, now int64, uniform bool) *traffic {
	t := &traffic{random: rand.New(rand.NewPCG(seed, 0)), now: now, uniform: uniform}
	t.zipf = rand.NewZipf(t.random, zipfExponent, zipfOffset, worldHosts-1)
	for range worldHosts {
		t.world = append(t.world, t.public())
	}
	for i := range subscriberHosts { // half of them behind a translator
		t.subscribers = append(t.subscribers, in(t.random, []string{"100.64.0.0/10", "81.64.0.0/13"}[i%2]))
	}
	return t
}

// public draws an address of the public internet.
func (t *traffic) public() uint32 {
	for {
		a := t.random.Uint32()
		addr := netip.AddrFrom4([4]byte{byte(a >> 24), byte(a >> 16), byte(a >> 8), byte(a)})
		if addr.IsGlobalUnicast() && !addr.IsPrivate() && a>>24 != 0 && a>>24 < 224 && a>>22 != 100<<2|1 {
			return a
		}
	}
}

// in draws an address of a prefix.
func in(random *rand.Rand, prefix string) uint32 {
	p := netip.MustParsePrefix(prefix)
	b := p.Addr().As4()
	base := uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
	return base + random.Uint32N(1<<(32-p.Bits()))
}

// ends draws the carrier's own end and the other.
func (t *traffic) ends() (own, other uint32) {
	if t.uniform {
		return t.public(), t.public()
	}
	other = t.world[t.zipf.Uint64()]
	if t.random.IntN(coreOneIn) > 0 {
		return t.subscribers[t.random.IntN(len(t.subscribers))], other
	}
	core := []string{"10.40.0.0/16", "10.20.0.0/24", "10.30.0.0/24", "10.66.0.0/24"}
	own = in(t.random, core[t.random.IntN(len(core))])
	if t.random.IntN(2) == 0 { // mostly among themselves
		other = in(t.random, core[t.random.IntN(len(core))])
	}
	return own, other
}

// servers are ports that answer, by their share of the records.
var servers = []struct {
	port     uint16
	protocol uint8
	share    int
}{{443, 6, 45}, {443, 17, 25}, {53, 17, 12}, {80, 6, 6}, {123, 17, 3}, {22, 6, 3}, {5228, 6, 2}, {25, 6, 2}, {3478, 17, 2}}

// record draws one record.
func (t *traffic) record() *record {
	own, other := t.ends()
	port, protocol := t.server()
	r := &record{
		src: own, dst: other, nextHop: 0xC0A80001 + t.random.Uint32N(8),
		srcPort: uint16(1024 + t.random.IntN(64512)), dstPort: port, protocol: protocol,
		tos: uint8(t.random.IntN(4)) << 5, packets: 1 + uint32(t.random.ExpFloat64()*12),
		inIf: uint16(1 + t.random.IntN(64)), outIf: uint16(1 + t.random.IntN(8)),
		srcAS: 64500, dstAS: 1 + t.random.Uint32N(60000),
		srcMask: 16, dstMask: uint8(12 + t.random.IntN(13)),
	}
	r.bytes = r.packets * (40 + t.random.Uint32N(1400))
	r.end = t.now - t.random.Int64N(30_000)
	r.start = r.end - int64(t.random.ExpFloat64()*5000)
	if protocol == 6 {
		r.tcpFlags = 0x1b
	}
	if t.random.IntN(2) == 0 { // the answer
		r.src, r.dst, r.srcPort, r.dstPort = r.dst, r.src, r.dstPort, r.srcPort
		r.srcAS, r.dstAS, r.srcMask, r.dstMask = r.dstAS, r.srcAS, r.dstMask, r.srcMask
		r.inIf, r.outIf, r.direction = r.outIf, r.inIf, 1
	}
	return r
}

func (t *traffic) server() (port uint16, protocol uint8) {
	n := t.random.IntN(100)
	for _, s := range servers {
		if n -= s.share; n < 0 {
			return s.port, s.protocol
		}
	}
	return 8080, 6
}
