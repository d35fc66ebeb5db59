package enrichtest

import (
	"math/rand/v2"
	"testing"

	"tapwatch/enrich"
	"tapwatch/flow"
)

// Traffic makes a batch of n records between addresses that are spread over the
// whole IPv4 space, the same every run.
func Traffic(n int) *flow.Batch {
	b := ports(n)
	b.SrcAddr, b.DstAddr = Random(n, 1), Random(n, 2)
	return b
}

// ports makes a batch of n records with ports and protocols, and no addresses.
func ports(n int) *flow.Batch {
	r := rand.New(rand.NewPCG(0, 0))
	b := new(flow.Batch)
	b.Grow(n)
	for i := range n {
		b.SrcPort[i], b.DstPort[i] = uint16(r.Uint32()), []uint16{22, 53, 443, 8890, 50000}[r.IntN(5)]
		b.Protocol[i] = []uint8{flow.ProtocolTCP, flow.ProtocolUDP, flow.ProtocolICMP}[r.IntN(3)]
	}
	return b
}

// Random gives n addresses spread over the whole IPv4 space: what a scan brings,
// and the worst for caches.
func Random(n int, seed uint64) [][16]byte {
	r := rand.New(rand.NewPCG(seed, 0))
	addrs := make([][16]byte, n)
	for i := range addrs {
		addrs[i] = random4(r)
	}
	return addrs
}

// Popular gives n addresses out of 50,000 spread ones, some of them met much more
// often than others (Zipf): peers of real traffic.
func Popular(n int, seed uint64) [][16]byte {
	return popular(n, seed, random4)
}

// Popular6 is Popular for IPv6 addresses in the blocks that registries give out.
func Popular6(n int, seed uint64) [][16]byte {
	return popular(n, seed, random6)
}

// Subscribers is Popular for addresses in the shared address space, a zone of the
// example inventory.
func Subscribers(n int, seed uint64) [][16]byte {
	return popular(n, seed, func(r *rand.Rand) [16]byte {
		return flow.From4([4]byte{100, 64 | byte(r.Uint32()&63), byte(r.Uint32()), byte(r.Uint32())})
	})
}

func popular(n int, seed uint64, one func(*rand.Rand) [16]byte) [][16]byte {
	const distinct, exponent = 50_000, 1.1
	r := rand.New(rand.NewPCG(seed, 0))
	known := make([][16]byte, distinct)
	for i := range known {
		known[i] = one(r)
	}
	zipf := rand.NewZipf(r, exponent, 1, distinct-1)
	addrs := make([][16]byte, n)
	for i := range addrs {
		addrs[i] = known[zipf.Uint64()]
	}
	return addrs
}

func random4(r *rand.Rand) [16]byte {
	a := r.Uint32()
	return flow.From4([4]byte{byte(a >> 24), byte(a >> 16), byte(a >> 8), byte(a)})
}

func random6(r *rand.Rand) [16]byte {
	block := []uint16{0x2001, 0x2400, 0x2600, 0x2a00}[r.IntN(4)]
	var a [16]byte
	for i := range a {
		a[i] = byte(r.Uint32())
	}
	a[0], a[1] = byte(block>>8), byte(block)&^0x0f|a[1]&0x0f
	if block == 0x2001 {
		a[1] = byte(block)
	}
	return a
}

// Bench measures an enrichment on traffic between the addresses and reports the
// time a record takes. It shows it batch after batch until all addresses were
// there, so that as many of them are new to the processor's caches as are in
// traffic. Both ends have as many addresses.
func Bench(b *testing.B, e enrich.Enricher, src, dst [][16]byte) {
	const records = 4096
	batch := ports(records)
	next := 0
	b.ReportAllocs()
	for b.Loop() {
		batch.SrcAddr, batch.DstAddr = src[next:next+records], dst[next:next+records]
		e.Enrich(batch)
		if next += records; next+records > len(src) {
			next = 0
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*records), "ns/record")
}
