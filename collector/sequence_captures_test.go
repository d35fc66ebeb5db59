package collector_test

import (
	"encoding/binary"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"testing"

	"tapwatch/collector"
	"tapwatch/internal/captures"
)

// templateMoved is why three files with the same export of one router show loss.
const templateMoved = "true: its makers cut datagrams out, 147697 to 147701 and so on; 147688, the template, they moved to the front"

// lossyCaptures are the captures whose sequence numbers say that something is
// missing, and why that is so. All others show neither loss nor a restart.
var lossyCaptures = map[string]struct {
	counts counts
	reason string
}{
	"netgauze/pmacct-tests/111-IPFIXv10-NFv9-IPv6-IPv4-mix_sources/traffic-01.pcap": {
		counts{records: 8},
		"true: its makers cut messages out of the export (1 ms between all that are left); after number 455479 with one record comes 455488",
	},
	"traffic-reproducer/pcaps/nfv9-traffic.pcap":                               {counts{datagrams: 18}, templateMoved},
	"netgauze/pmacct-tests/101-NFv9-CISCO-cust_primitives/traffic-00.pcap":     {counts{datagrams: 18}, templateMoved},
	"netgauze/pmacct-tests/110-IPFIXv10-NFv9-multiple-sources/traffic-01.pcap": {counts{datagrams: 18}, templateMoved},
	"netgauze/pmacct-tests/400-IPFIXv10-BMP-CISCO-SRv6-multiple-sources/traffic-01.pcap": {
		counts{records: 507},
		"true: cut in the same way; of 203.0.113.91 the message of 20 to 30 records after each round of templates is missing, and the next number counts it",
	},
}

// TestSequenceOfCaptures follows the sequence numbers of every capture.
func TestSequenceOfCaptures(t *testing.T) {
	all := append(captures.Index(t), captures.Labelled(t)...)
	followed, proven := 0, 0
	for _, c := range all {
		got, messages := followCapture(t, c.Path)
		if messages > 0 {
			followed++
		}
		if messages >= 10 {
			proven++
		}
		if want := lossyCaptures[c.Name]; got != want.counts {
			t.Errorf("%s, %d messages: counts %+v, want %+v", c.Name, messages, got, want.counts)
		}
	}
	if len(all) > 0 {
		t.Logf("%d captures followed, %d of them with ten messages or more", followed, proven)
	}
}

// followCapture gives what all sequences of a capture count, and how many messages
// the longest has.
func followCapture(t *testing.T, path string) (got counts, longest int) {
	type domain struct {
		exporter netip.Addr
		version  uint16
		domain   uint64
	}
	type followed struct {
		sequence collector.Sequence
		messages int
	}
	domains := map[domain]*followed{}
	sizes := map[netip.Addr]sizesOfRecords{}
	var tally collector.Tally
	for _, g := range datagrams(t, path) {
		addr := g.From.Addr()
		if sizes[addr] == nil {
			sizes[addr] = sizesOfRecords{}
		}
		version, id, n, ok := numberingOf(g.Payload, sizes[addr])
		if !ok {
			continue
		}
		key := domain{addr, version, id}
		if domains[key] == nil {
			domains[key] = &followed{}
		}
		before := countsOf(&tally)
		domains[key].sequence.Observe(&tally, n)
		if after := countsOf(&tally); testing.Verbose() && after != before {
			t.Logf("%s: message %d of %v: %+v: %+v", path, domains[key].messages, key, n, after)
		}
		domains[key].messages++
		longest = max(longest, domains[key].messages)
	}
	return countsOf(&tally), longest
}

// numberingOf reads what a datagram's header says. It knows nothing of the decoders.
func numberingOf(p []byte, sizes sizesOfRecords) (version uint16, domain uint64, n collector.Numbering, ok bool) {
	u16, u32 := binary.BigEndian.Uint16, binary.BigEndian.Uint32
	if len(p) < 16 || len(p) < 28 && u16(p) != 10 {
		return 0, 0, n, false
	}
	n.HasUptime = true
	switch version = u16(p); version {
	case 5:
		n.Uptime, n.Number, domain = u32(p[4:]), u32(p[16:]), uint64(u16(p[20:]))
		n.Records, n.RecordsKnown, n.CountsRecords = int(u16(p[2:])), true, true
	case 7:
		n.Uptime, n.Number = u32(p[4:]), u32(p[16:])
		n.Records, n.RecordsKnown, n.CountsRecords = int(u16(p[2:])), true, true
	case 9:
		n.Uptime, n.Number, domain = u32(p[4:]), u32(p[12:]), uint64(u32(p[16:]))
		n.Records, n.RecordsKnown = sizes.count(p[20:], version, u32(p[16:]))
	case 10:
		n.HasUptime = false
		n.Number, domain, n.CountsRecords = u32(p[8:]), uint64(u32(p[12:])), true
		n.Records, n.RecordsKnown = sizes.count(p[16:], version, u32(p[12:]))
	case 0: // sFlow
		if u32(p) != 5 || u32(p[4:]) != 1 {
			return 0, 0, n, false
		}
		n.Number, n.Uptime, n.Records = u32(p[16:]), u32(p[20:]), int(u32(p[24:]))
		n.RecordsKnown, domain = true, uint64(u32(p[8:]))<<32|uint64(u32(p[12:]))
	default:
		return 0, 0, n, false
	}
	return version, domain, n, true
}

// sizesOfRecords are the fields' lengths of the templates of one exporter.
type sizesOfRecords map[string][]uint16

func templateName(version uint16, domain uint32, id uint16) string {
	return fmt.Sprint(version, domain, id)
}

// count gives how many data records the sets of a message hold.
func (s sizesOfRecords) count(p []byte, version uint16, domain uint32) (records int, known bool) {
	known = true
	for len(p) >= 4 {
		id, length := binary.BigEndian.Uint16(p), int(binary.BigEndian.Uint16(p[2:]))
		if length < 4 || length > len(p) {
			return records, id == 0 && length == 0
		}
		set := p[4:length]
		p = p[length:]
		if id < 256 {
			s.learn(set, version, domain, id)
			continue
		}
		fields := s[templateName(version, domain, id)]
		if fields == nil {
			known = false
			continue
		}
		for {
			size := recordLength(set, fields)
			if size <= 0 || size > len(set) {
				break
			}
			set = set[size:]
			records++
		}
	}
	return records, known
}

// recordLength is that of the first record of a set.
func recordLength(set []byte, fields []uint16) (size int) {
	for _, f := range fields {
		switch {
		case f != 65535:
			size += int(f)
		case size >= len(set):
			return -1
		case set[size] < 255:
			size += 1 + int(set[size])
		case size+3 > len(set):
			return -1
		default:
			size += 3 + int(binary.BigEndian.Uint16(set[size+1:]))
		}
	}
	return size
}

// learn reads a set of templates.
func (s sizesOfRecords) learn(set []byte, version uint16, domain uint32, id uint16) {
	u16 := binary.BigEndian.Uint16
	for len(set) >= 4 {
		template, fields := u16(set), int(u16(set[2:]))
		set = set[4:]
		switch {
		case version == 9 && id == 1: // lengths of scopes and options
			if len(set) < 2 {
				return
			}
			fields = (fields + int(u16(set))) / 4
			set = set[2:]
		case version == 10 && id == 3: // the scopes are of the fields
			if len(set) < 2 {
				return
			}
			set = set[2:]
		}
		lengths := []uint16{}
		for range fields {
			if len(set) < 4 {
				return
			}
			lengths = append(lengths, u16(set[2:]))
			size := 4
			if version == 10 && u16(set)&0x8000 != 0 {
				size = 8
			}
			set = set[min(size, len(set)):]
		}
		if template >= 256 && fields > 0 {
			s[templateName(version, domain, template)] = lengths
		}
	}
}

// TestLossyCapturesAreThere: no entry outlives its capture.
func TestLossyCapturesAreThere(t *testing.T) {
	all := append(captures.Index(t), captures.Labelled(t)...)
	for _, name := range slices.Sorted(maps.Keys(lossyCaptures)) {
		if len(all) > 0 && !slices.ContainsFunc(all, func(c captures.Capture) bool { return c.Name == name }) {
			t.Errorf("there is no capture %s", name)
		}
		if lossyCaptures[name].reason == "" {
			t.Errorf("%s has no reason", name)
		}
	}
}
