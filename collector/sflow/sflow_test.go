package sflow_test

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tapwatch/collector"
	"tapwatch/collector/sflow"
	"tapwatch/flow"
)

// words makes bytes of 32-bit words.
func words(all ...uint32) []byte {
	var b []byte
	for _, w := range all {
		b = binary.BigEndian.AppendUint32(b, w)
	}
	return b
}

func join(all ...[]byte) []byte {
	var b []byte
	for _, p := range all {
		b = append(b, p...)
	}
	return b
}

// datagram makes a datagram of an IPv4 agent, sub-agent 3.
func datagram(samples ...[]byte) []byte {
	return join(words(5, 1, 0x0a000001, 3, 1, 1000, uint32(len(samples))), join(samples...))
}

// tagged makes a sample or record.
func tagged(format uint32, body ...[]byte) []byte {
	b := join(body...)
	return join(words(format, uint32(len(b))), b)
}

// flowSample is a sample, one of 100, from interface 7 to several.
func flowSample(records ...[]byte) []byte {
	return tagged(1, words(1, 0, 100, 0, 0, 7, 0x80000003, uint32(len(records))), join(records...))
}

// packet is the start of an IPv4 TCP packet in Ethernet, cut off within the TCP
// options.
func packet() []byte {
	return join([]byte{2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0},
		[]byte{0x45, 0xb8, 5, 0xdc, 0, 0, 0, 0, 64, 6, 0, 0, 192, 0, 2, 1, 198, 51, 100, 2},
		[]byte{0xc0, 0, 1, 0xbb, 0, 0, 0, 0, 0, 0, 0, 0, 0xa0, 0x12, 0, 0, 0, 0, 0, 0})
}

func header(p []byte) []byte {
	return tagged(1, words(1, 1518, 4, uint32(len(p))), p)
}

// decoder is a session with what it fills.
type decoder struct {
	session  collector.Session
	batch    flow.Batch
	tally    collector.Tally
	datagram collector.Datagram
}

func newDecoder() *decoder {
	return &decoder{session: sflow.Protocol{}.Sessions(collector.Limits{})()}
}

func (d *decoder) decode(all ...[]byte) {
	for _, payload := range all {
		d.datagram = collector.Datagram{ReceivedAt: time.Unix(0, 0), Payload: payload, Tally: &d.tally}
		d.session.Decode(&d.batch, &d.datagram)
	}
}

// decode has one session decode datagrams.
func decode(all ...[]byte) (*flow.Batch, *collector.Tally) {
	d := newDecoder()
	d.decode(all...)
	return &d.batch, &d.tally
}

func TestFlowSample(t *testing.T) {
	extendedSwitch := tagged(1001, words(10, 0, 20, 0))
	router := tagged(1002, words(1, 0x0a0000fe, 24, 16))
	gateway := tagged(1003, words(1, 0x0a0000fd, 64500, 64501, 0, 1, 2, 2, 64502, 64503, 0, 100))
	b, tally := decode(datagram(flowSample(header(packet()), extendedSwitch, router, gateway)))
	if b.Len() != 1 || tally.ByReason() != nil {
		t.Fatalf("%d records, dropped %v", b.Len(), tally.ByReason())
	}
	got := map[string]any{}
	for i := range flow.Fields {
		got[flow.Fields[i].Name] = flow.Fields[i].Value(b, 0)
	}
	for name, want := range map[string]any{
		"src_addr": flow.From4([4]byte{192, 0, 2, 1}), "dst_addr": flow.From4([4]byte{198, 51, 100, 2}),
		"src_port": uint16(49152), "dst_port": uint16(443), "protocol": uint8(6), "ip_version": uint8(4),
		"tcp_flags": uint16(18), "tos": uint8(0xb8), "bytes": uint64(1518), "packets": uint64(1),
		"sampling_interval": uint32(100), "in_if": uint32(7), "out_if": uint32(0), "src_vlan": uint16(10), "dst_vlan": uint16(20),
		"next_hop": flow.From4([4]byte{10, 0, 0, 254}), "src_mask": uint8(24), "dst_mask": uint8(16),
		"src_as": uint32(64501), "dst_as": uint32(64503), "observation_domain": uint32(3),
		"export_protocol": flow.ExportSFlow5, "src_mac": uint64(0x020000000001),
	} {
		if diff := cmp.Diff(want, got[name]); diff != "" {
			t.Errorf("%s (-want +got): %s", name, diff)
		}
	}
}

func TestSampledIP(t *testing.T) {
	b, _ := decode(datagram(flowSample(tagged(3, words(60, 17, 0x0a000001, 0x0a000002, 5000, 53, 0, 8)))))
	if b.Len() != 1 || b.DstPort[0] != 53 || b.Bytes[0] != 60 || b.Protocol[0] != 17 || b.IPVersion[0] != 4 {
		t.Errorf("port %v, bytes %v, protocol %v", b.DstPort, b.Bytes, b.Protocol)
	}
}

// TestHostile sends what must neither stop nor grow the decoder.
func TestHostile(t *testing.T) {
	expanded := tagged(3, words(1, 0, 0, 100, 0, 0, 0, 7, 0, 8, 0xffffffff))
	for _, c := range []struct {
		name    string
		payload []byte
		records int
		want    map[string]uint64
	}{
		{"2^32 records promised", datagram(expanded), 1, nil},
		{"2^32 samples promised", join(words(5, 1, 1, 0, 0, 0, 0xffffffff), flowSample()), 1, nil},
		{"sample beyond the end", datagram(words(1, 400, 1)), 0, map[string]uint64{"truncated": 1}},
		{"sample too short", datagram(tagged(1, words(1))), 0, map[string]uint64{"truncated": 1}},
		{"record beyond the end", datagram(flowSample(words(1, 999))), 1, map[string]uint64{"truncated": 1}},
		{"a bad record among good", datagram(flowSample(tagged(1002, words(9)), header(packet()))), 1, map[string]uint64{"decoder_error": 1}},
		{"unknown address family", words(5, 3, 1, 0, 0, 0, 0), 0, map[string]uint64{"truncated": 1}},
		{"cut header", words(5, 1, 1), 0, map[string]uint64{"truncated": 1}},
		{"discarded packet", datagram(tagged(5, words(1, 0, 0, 0, 0, 0, 0, 0))), 0, map[string]uint64{"unsupported_sample": 1}},
		{"bytes behind", append(datagram(flowSample()), 1, 2, 3), 1, map[string]uint64{"trailing_bytes": 1}},
	} {
		b, tally := decode(c.payload)
		if diff := cmp.Diff(c.want, tally.ByReason()); diff != "" || b.Len() != c.records {
			t.Errorf("%s: %d records, dropped (-want +got):\n%s", c.name, b.Len(), diff)
		}
	}
}

func TestCounterSamples(t *testing.T) {
	b, tally := decode(datagram(tagged(2, words(1, 0, 0)), tagged(4, words(1, 0, 0, 0))))
	if b.Len() != 0 || tally.OptionsRecords != 2 || tally.ByReason() != nil {
		t.Errorf("%d records, %d counter samples, dropped %v", b.Len(), tally.OptionsRecords, tally.ByReason())
	}
}
