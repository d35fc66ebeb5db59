package netflow

import (
	"encoding/binary"

	"github.com/netsampler/goflow2/v2/decoders/netflow"

	"tapwatch/collector"
	"tapwatch/flow"
)

// legacy is a version of NetFlow without templates (Cisco, "NetFlow Export Datagram
// Format"). Its one layout is read by a plan, as templates are.
type legacy struct {
	header int
	plan   *plan
	// most is the most records of one datagram: more than Cisco puts into one of v1 and
	// v7, for softflowd and others do.
	most int
	// numbered says that the header has a sequence number, which counts records.
	numbered bool
}

var legacies = map[uint16]legacy{
	version1: {16, layout(legacyKey, pad(2), protocol, tos, tcpFlags, pad(7)), 30, false},
	version5: {24, layout(legacyKey, pad(1), tcpFlags, protocol, tos, legacyRoute, pad(2)), 30, true},
	// Catalyst switches: a word of padding is flags, and four bytes more name the router
	// that was bypassed.
	version7: {24, layout(legacyKey, pad(1), tcpFlags, protocol, tos, legacyRoute, pad(2), pad(4)), 30, true},
}

// legacyKey is how the records of all versions begin.
var legacyKey = []netflow.Field{
	{Type: 8, Length: 4}, {Type: 12, Length: 4}, {Type: 15, Length: 4}, // addresses, next hop
	{Type: 10, Length: 2}, {Type: 14, Length: 2}, // interfaces
	{Type: 2, Length: 4}, {Type: 1, Length: 4}, // packets, bytes
	{Type: 22, Length: 4}, {Type: 21, Length: 4}, // first and last, by uptime
	{Type: 7, Length: 2}, {Type: 11, Length: 2}, // ports
}

var (
	tcpFlags    = []netflow.Field{{Type: 6, Length: 1}}
	protocol    = []netflow.Field{{Type: 4, Length: 1}}
	tos         = []netflow.Field{{Type: 5, Length: 1}}
	legacyRoute = []netflow.Field{{Type: 16, Length: 2}, {Type: 17, Length: 2}, {Type: 9, Length: 1}, {Type: 13, Length: 1}}
)

// pad is bytes that mean nothing.
func pad(bytes uint16) []netflow.Field {
	const paddingOctets = 210
	return []netflow.Field{{Type: paddingOctets, Length: bytes}}
}

// layout makes the plan of records of those parts.
func layout(parts ...[]netflow.Field) *plan {
	var all []netflow.Field
	for _, p := range parts {
		all = append(all, p...)
	}
	return compile("", nil, all, false)
}

// decodeLegacy reads a NetFlow v1, v5 or v7 datagram: as many records as its header
// counts and its length holds. Bytes after them are counted and left: no exporter puts
// two packets into one datagram, so they are padding or noise.
func (s *session) decodeLegacy(b *flow.Batch, version uint16, g *collector.Datagram) {
	v := legacies[version]
	n, ok := v.records(g)
	if !ok {
		return
	}
	p := g.Payload
	m := &s.shared.message
	*m = message{
		domainKey: domainKey{version: version},
		uptime:    binary.BigEndian.Uint32(p[4:]),
		hasUptime: true,
		exportAt:  int64(binary.BigEndian.Uint32(p[8:]))*1000 + int64(binary.BigEndian.Uint32(p[12:]))/1e6,
		records:   n,
	}
	if v.numbered {
		m.number = binary.BigEndian.Uint32(p[16:])
	}
	if version == version5 {
		m.id = uint32(binary.BigEndian.Uint16(p[20:])) // engine type and id
		// Mode in the upper two bits, interval below; 0 where the exporter does not say.
		m.sampling = uint32(binary.BigEndian.Uint16(p[22:]) & 0x3fff)
	}
	s.records(b, m, &s.shared.unknown, v.plan, p[v.header:][:n*v.plan.size], n, g)
	if v.numbered && n > 0 && s.remembered(m.domainKey, g) != nil {
		s.number(m, g)
	}
}

// records gives how many records a datagram holds, and counts what its header says
// otherwise.
func (v *legacy) records(g *collector.Datagram) (n int, ok bool) {
	if len(g.Payload) < v.header {
		g.Tally.Drop(collector.Truncated, 1)
		return 0, false
	}
	counted := int(binary.BigEndian.Uint16(g.Payload[2:]))
	rest := len(g.Payload) - v.header
	n = min(counted, rest/v.plan.size, v.most)
	switch {
	case counted > v.most && rest != n*v.plan.size:
		g.Tally.Drop(collector.MalformedSet, 1) // noise: no exporter writes such a header
		return 0, false
	case n < counted:
		g.Tally.Drop(collector.Truncated, 1)
	case rest > n*v.plan.size:
		g.Tally.Drop(collector.TrailingBytes, 1)
	}
	return n, true
}
