package collector_test

import (
	"bytes"
	"encoding/binary"
	"math"
	"net/netip"
	"testing"
	"time"

	"tapwatch/collector"
	"tapwatch/collector/netflow"
	"tapwatch/flow"
)

// This file has the parts of which no real bytes were to be had: no capture has
// them, and no exporter of Debian writes them. The messages are built by hand, field
// by field, as the RFC named with each says.

// field is a field of a template with the value of the one record.
type field struct {
	id         uint16
	enterprise uint32
	value      []byte
	variable   bool // RFC 7011 §7
}

func octet(id uint16, v byte) field { return field{id: id, value: []byte{v}} }
func short(id uint16, v uint16) field {
	return field{id: id, value: binary.BigEndian.AppendUint16(nil, v)}
}
func long(id uint16, v uint32) field {
	return field{id: id, value: binary.BigEndian.AppendUint32(nil, v)}
}
func longer(id uint16, v uint64) field {
	return field{id: id, value: binary.BigEndian.AppendUint64(nil, v)}
}
func ip(id uint16, a string) field { return field{id: id, value: netip.MustParseAddr(a).AsSlice()} }

// list is a field of variable length.
func list(id uint16, v ...byte) field { return field{id: id, value: v, variable: true} }

const (
	exportSecond = 1772442000 // 2026-03-02 09:00:00 UTC
	exportTime   = int64(exportSecond) * 1000
	setTemplate  = 2
	setOptions   = 3
)

// ipfixMessage is an IPFIX message of the sets.
func ipfixMessage(sets ...[]byte) []byte {
	body := bytes.Join(sets, nil)
	m := binary.BigEndian.AppendUint16(nil, 10)
	m = binary.BigEndian.AppendUint16(m, uint16(16+len(body)))
	m = binary.BigEndian.AppendUint32(m, exportSecond)
	m = binary.BigEndian.AppendUint32(m, 0) // sequence number
	m = binary.BigEndian.AppendUint32(m, 7) // observation domain
	return append(m, body...)
}

func ipfixSet(id uint16, body []byte) []byte {
	s := binary.BigEndian.AppendUint16(nil, id)
	return append(binary.BigEndian.AppendUint16(s, uint16(4+len(body))), body...)
}

// ipfixTemplate is a template set, with scopes an options template set.
func ipfixTemplate(id uint16, scopes int, fields []field) []byte {
	t := binary.BigEndian.AppendUint16(nil, id)
	t = binary.BigEndian.AppendUint16(t, uint16(len(fields)))
	kind := uint16(setTemplate)
	if scopes > 0 {
		kind = setOptions
		t = binary.BigEndian.AppendUint16(t, uint16(scopes))
	}
	for _, f := range fields {
		length := uint16(len(f.value))
		if f.variable {
			length = math.MaxUint16
		}
		number := f.id
		if f.enterprise != 0 {
			number |= 0x8000
		}
		t = binary.BigEndian.AppendUint16(t, number)
		t = binary.BigEndian.AppendUint16(t, length)
		if f.enterprise != 0 {
			t = binary.BigEndian.AppendUint32(t, f.enterprise)
		}
	}
	return ipfixSet(kind, t)
}

// ipfixData is a data set of one record.
func ipfixData(id uint16, fields []field) []byte {
	var r []byte
	for _, f := range fields {
		if f.variable {
			r = append(r, byte(len(f.value)))
		}
		r = append(r, f.value...)
	}
	return ipfixSet(id, r)
}

// partByHand is a part that one record shows. The record has addresses before the
// fields and counters behind them, which must be right too.
type partByHand struct {
	part   string
	source string
	fields []field
	want   shown
}

// since1900 is a time as NTP writes it: seconds since 1900, and 1/2^32 of them.
func since1900(id uint16, ms int64) field {
	const seconds1900to1970 = 2208988800
	return longer(id, uint64(ms/1000+seconds1900to1970)<<32|uint64(ms%1000)*(1<<32)/1000+1)
}

// greHeader is an IPv4 header with GRE with key 77, and an inner IPv4 and UDP header.
var greHeader = []byte{
	0x45, 0xb8, 0, 66, 0, 0, 0, 0, 57, 47, 0, 0, 10, 77, 1, 1, 10, 77, 1, 2,
	0x20, 0, 8, 0, 0, 0, 0, 77,
	0x45, 0, 0, 38, 0, 0, 0, 0, 64, 17, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2,
	0x9c, 0x41, 0x13, 0x89, 0, 18, 0, 0,
}

var partsByHand = []partByHand{
	{"fragment id and offset (54, 88)", "RFC 5102 §5.4.23, §5.4.24", []field{long(54, 0x4321), short(88, 185)},
		shown{"fragment_id": "17185", "fragment_offset": "185"}},
	{"ICMPv6 type and code (178, 179)", "RFC 5102 §5.6", []field{octet(4, 58), octet(178, 1), octet(179, 4)},
		shown{"icmp_type": "1", "icmp_code": "4"}},

	{"NAT44 session created (230, 225-228)", "RFC 8158 §5.3", []field{
		octet(230, 4), ip(225, "203.0.113.7"), ip(226, "198.51.100.9"), short(227, 61000), short(228, 443),
	}, shown{"nat_event": "4", "src_addr_nat": "203.0.113.7", "dst_addr_nat": "198.51.100.9", "src_port_nat": "61000", "dst_port_nat": "443"}},
	{"NAT64 session deleted, addresses of IPv6 (230, 281, 282)", "RFC 8158 §5.3", []field{
		octet(230, 7), ip(281, "2001:db8::7"), ip(282, "2001:db8::9"),
	}, shown{"nat_event": "7", "src_addr_nat": "2001:db8::7", "dst_addr_nat": "2001:db8::9"}},

	{"duration in milliseconds (161) after a start (152)", "RFC 5102 §5.11.6", []field{longer(152, uint64(exportTime-5000)), long(161, 1500)},
		shown{"start_at": "1772441995000", "end_at": "1772441996500"}},
	{"duration in microseconds (162) after a start (152)", "RFC 5102 §5.11.7", []field{longer(152, uint64(exportTime-5000)), long(162, 1_500_000)},
		shown{"start_at": "1772441995000", "end_at": "1772441996500"}},
	{"observed in seconds (322)", "RFC 5477 §8.5.1", []field{long(322, exportSecond-3)}, shown{"end_at": "1772441997000"}},
	{"observed in nanoseconds (325)", "RFC 5477 §8.5.4", []field{since1900(325, exportTime-2500)}, shown{"end_at": "1772441997500"}},

	{"IP header of a sampled packet (313)", "RFC 5477 §8.4.2", []field{{id: 313, value: greHeader}}, shown{
		"protocol": "47", "ip_ttl": "57", "tos": "184", "tunnel": "1", "tunnel_id": "77", "inner_src_addr": "192.0.2.1", "inner_dst_addr": "192.0.2.2",
		"inner_protocol": "17", "inner_src_port": "40001", "inner_dst_port": "5001",
	}},

	// Structured data is skipped: semantics, element and length, elements.
	{"basicList (291) of interfaces", "RFC 6313 §4.5.1", []field{list(291, 3, 0, 10, 0, 4, 0, 0, 0, 1, 0, 0, 0, 2)}, shown{"in_if": "0"}},
	{"basicList (291) of an enterprise's element", "RFC 6313 §4.5.1", []field{list(291, 4, 0x80, 1, 0, 1, 0, 0, 0x72, 0x79, 9)}, shown{}},
	{"basicList (291), empty", "RFC 6313 §4.5.1", []field{list(291, 0, 0, 10, 0, 4)}, shown{}},
	{"subTemplateList (292)", "RFC 6313 §4.5.2", []field{list(292, 3, 1, 1, 10, 0, 0, 1, 10, 0, 0, 2)}, shown{}},
	{"subTemplateMultiList (293)", "RFC 6313 §4.5.3", []field{list(293, 3, 1, 1, 0, 8, 10, 0, 0, 1, 1, 2, 0, 5, 6)}, shown{}},
	{"lists of fixed length", "RFC 6313 §4.5", []field{{id: 291, value: []byte{3, 0, 10, 0, 4, 0, 0, 0, 1}}}, shown{"in_if": "0"}},

	{"variable length, empty", "RFC 7011 §7", []field{list(82)}, shown{}},
	{"reverse information element alone (RFC 5103)", "RFC 5103 §6.1", []field{{id: 16, enterprise: 29305, value: []byte{0, 0, 0, 1}}}, shown{"src_as": "0"}},
	{"an enterprise's element with the number of another", "RFC 7011 §3.2", []field{{id: 230, enterprise: 9, value: []byte{4}}}, shown{"nat_event": "0"}},
}

// TestPartsByHand decodes each.
func TestPartsByHand(t *testing.T) {
	for _, p := range partsByHand {
		t.Run(p.part, func(t *testing.T) {
			fields := append([]field{ip(8, "10.77.1.1"), ip(12, "10.77.1.2")}, p.fields...)
			fields = append(fields, longer(1, 1234), long(2, 5))
			b, total := decodeMessages(t, ipfixMessage(ipfixTemplate(256, 0, fields)), ipfixMessage(ipfixData(256, fields)))
			if b.Len() != 1 || len(total.ByReason()) != 0 {
				t.Fatalf("%s: %d records, dropped %v", p.source, b.Len(), total.ByReason())
			}
			around := shown{"src_addr": "10.77.1.1", "dst_addr": "10.77.1.2", "bytes": "1234", "packets": "5"}
			for _, want := range []shown{around, p.want} {
				if diff := want.difference(b, 0); diff != "" {
					t.Errorf("%s: %s", p.source, diff)
				}
			}
		})
	}
}

func decodeMessages(t *testing.T, all ...[]byte) (*flow.Batch, collector.Tally) {
	t.Helper()
	d := collector.NewDecoder(collector.DefaultConfig(), protocols, nil)
	b := new(flow.Batch)
	for _, m := range all {
		d.Datagram(b, handMadeExporter, time.Unix(exportSecond, 0), m)
	}
	return b, d.Total()
}

var handMadeExporter = netip.MustParseAddrPort("192.0.2.1:50000")

// TestTypeInformation: what an exporter tells about its enterprise's elements (RFC
// 5610 §3.9) is options data like other, and harms no flow.
func TestTypeInformation(t *testing.T) {
	types := []field{long(346, 9), short(303, 12235), octet(339, 13), octet(344, 1), short(345, 0), list(341, []byte("applicationHost")...), list(340)}
	flows := []field{ip(8, "10.77.1.1"), {id: 12235, enterprise: 9, value: []byte("example"), variable: true}, longer(1, 1234)}
	b, total := decodeMessages(t,
		ipfixMessage(ipfixTemplate(256, 2, types), ipfixData(256, types)),
		ipfixMessage(ipfixTemplate(257, 0, flows), ipfixData(257, flows)))
	if b.Len() != 1 || b.Bytes[0] != 1234 || total.OptionsRecords != 1 || len(total.ByReason()) != 0 {
		t.Errorf("%d records, %d options records, dropped %v", b.Len(), total.OptionsRecords, total.ByReason())
	}
}

// TestSamplingProbability reads the interval from a probability (RFC 5477 §8.2.5),
// of the selector that records name.
func TestSamplingProbability(t *testing.T) {
	for _, c := range []struct {
		name  string
		value []byte
	}{
		{"double", binary.BigEndian.AppendUint64(nil, math.Float64bits(1.0/400))},
		{"float", binary.BigEndian.AppendUint32(nil, math.Float32bits(1.0/400))},
	} {
		selector := []field{longer(302, 3), short(304, 4), {id: 311, value: c.value}}
		flows := []field{ip(8, "10.77.1.1"), longer(302, 3), longer(1, 1234)}
		b, _ := decodeMessages(t,
			ipfixMessage(ipfixTemplate(256, 1, selector), ipfixData(256, selector)),
			ipfixMessage(ipfixTemplate(257, 0, flows), ipfixData(257, flows)))
		if b.Len() != 1 || b.SamplingInterval[0] != 400 {
			t.Errorf("%s: %d records, intervals %v", c.name, b.Len(), b.SamplingInterval)
		}
	}
}

// TestTemplateWithdrawal: over a connection a template can be withdrawn (RFC 7011
// §8.1); what then comes of it is no record, until the id is used again.
func TestTemplateWithdrawal(t *testing.T) {
	const id, allTemplates = 256, 2
	octetsFirst := []field{longer(1, 100), long(2, 1)}
	packetsFirst := []field{long(2, 3), longer(1, 300)}
	for _, c := range []struct {
		name      string
		withdrawn uint16
	}{{"one", id}, {"all", allTemplates}} {
		t.Run(c.name, func(t *testing.T) {
			withdrawal := ipfixSet(setTemplate, []byte{byte(c.withdrawn >> 8), byte(c.withdrawn), 0, 0})
			d := collector.NewDecoder(collector.DefaultConfig(), []collector.Protocol{netflow.Protocol{}}, nil)
			b := new(flow.Batch)
			send := func(sets ...[]byte) {
				d.Message(b, 1, handMadeExporter, time.Unix(exportSecond, 0), ipfixMessage(sets...))
			}
			send(ipfixTemplate(id, 0, octetsFirst), ipfixData(id, octetsFirst))
			send(withdrawal)
			send(ipfixData(id, octetsFirst))
			if b.Len() != 1 {
				t.Fatalf("%d records after the withdrawal, want 1", b.Len())
			}
			d.GiveUp()
			send(ipfixTemplate(id, 0, packetsFirst), ipfixData(id, packetsFirst))
			if last := b.Len() - 1; last != 1 || b.Packets[last] != 3 || b.Bytes[last] != 300 {
				t.Errorf("%d records, packets %v, bytes %v", b.Len(), b.Packets, b.Bytes)
			}
		})
	}
}
