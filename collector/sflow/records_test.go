package sflow_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"tapwatch/collector/frame/frametest"
)

// addr is an IPv4 address in XDR: its type and its bytes.
func addr(a uint32) []byte { return words(1, a) }

// addr6 is 2001:db8::last.
func addr6(last uint32) []byte { return words(2, 0x20010db8, 0, 0, last) }

// segment is a segment of an AS path: 1 a set, 2 a sequence.
func segment(kind uint32, path ...uint32) []byte {
	return join(words(kind, uint32(len(path))), words(path...))
}

func gateway(nextHop []byte, segments ...[]byte) []byte {
	return tagged(1003, nextHop, words(64500, 64501, 64502, uint32(len(segments))), join(segments...), words(1, 0x0102, 100))
}

// everyRecord is a sample with every record that is read.
func everyRecord() []byte {
	return flowSample(
		header(packet()),
		tagged(2, words(1518), make([]byte, 16), words(0x0800)),
		tagged(3, words(60, 17, 0x0a000001, 0x0a000002, 5000, 53, 0, 8)),
		tagged(4, words(60, 17), make([]byte, 32), words(5000, 53, 0, 8)),
		tagged(1001, words(10, 0, 20, 0)), tagged(1002, addr(0x0a0000fe), words(24, 16)),
		gateway(addr6(9), segment(2, 64510, 64511), segment(1, 64520, 64521)),
		tagged(1006, addr(0x0a0000fd), words(2, 0x12345140, 0x00010140, 0)),
		tagged(1007, addr(0xcb007101), addr6(2)), tagged(1012, words(1, 0x88a80007)), tagged(1020, words(1024, 1025)),
		tagged(1036, words(5)), tagged(4413<<12|1, words(1, 2, 3)),
	)
}

// routerDatagram is what a router sends: seven samples with the header, switch,
// router and gateway.
func routerDatagram() []byte {
	sample := flowSample(header(packet()), tagged(1001, words(10, 0, 20, 0)), tagged(1002, addr(0x0a0000fe), words(24, 16)),
		gateway(addr(0x0a0000fe), segment(2, 64510, 64511, 64512)))
	return datagram(sample, sample, sample, sample, sample, sample, sample)
}

// TestRecords reads records one by one: what they add to a sample without any.
func TestRecords(t *testing.T) {
	base, _ := decode(datagram(flowSample()))
	mac := []byte{2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2}
	for _, c := range []struct {
		name    string
		records []byte
		want    map[string]string
	}{
		{"sampled IPv4", tagged(3, words(60, 6, 0xc0000201, 0xc6336402, 5000, 53, 18, 8)), map[string]string{"bytes": "60", "protocol": "6", "ip_version": "4",
			"src_addr": "192.0.2.1", "dst_addr": "198.51.100.2", "src_port": "5000", "dst_port": "53", "tcp_flags": "18", "tos": "8"}},
		{"sampled IPv6", tagged(4, words(80, 58), addr6(1)[4:], addr6(2)[4:], words(0, 128, 0, 0)), map[string]string{"bytes": "80", "protocol": "58", "ip_version": "6",
			"src_addr": "2001:db8::1", "dst_addr": "2001:db8::2"}},
		{"sampled Ethernet, padded", tagged(2, words(64), mac[:6], []byte{9, 9}, mac[6:], []byte{9, 9}, words(0x0800)), map[string]string{"bytes": "64", "src_mac": "2199023255553", "dst_mac": "2199023255554"}},
		{"sampled Ethernet, as sflowtool", tagged(2, words(64), mac, words(0x0800)), map[string]string{"bytes": "64", "src_mac": "2199023255553", "dst_mac": "2199023255554"}},
		{"header before IP, whatever the order", join(tagged(3, words(60, 17, 1, 2, 5000, 53, 0, 8)), header(packet())), map[string]string{"bytes": "1518", "protocol": "6", "ip_version": "4",
			"src_addr": "192.0.2.1", "dst_addr": "198.51.100.2", "src_port": "49152", "dst_port": "443", "tcp_flags": "18", "tos": "184", "ip_ttl": "64", "src_mac": "2199023255553", "dst_mac": "2199023255554"}},
		{"the first of two", join(tagged(1002, addr(0x0a000001), words(8, 9)), tagged(1002, addr(0x0a000002), words(10, 11))), map[string]string{"next_hop": "10.0.0.1", "src_mask": "8", "dst_mask": "9"}},
		{"switch", tagged(1001, words(10, 7, 20, 7)), map[string]string{"src_vlan": "10", "dst_vlan": "20"}},
		{"switch that says its length is 6", join(words(1001, 6, 10, 7, 20, 7), tagged(1002, addr(0x0a000001), words(8, 9))), map[string]string{"src_vlan": "10", "dst_vlan": "20", "next_hop": "10.0.0.1", "src_mask": "8", "dst_mask": "9"}},
		{"switch that knows no VLAN", join(tagged(1012, words(2, 0x88a80007, 0x81000008)), tagged(1001, words(0, 0, 0xffffffff, 0))), map[string]string{"src_vlan": "7"}},
		{"switch and tags taken off", join(tagged(1001, words(10, 0, 20, 0)), tagged(1012, words(1, 0x88a80007))), map[string]string{"src_vlan": "10", "dst_vlan": "20"}},
		{"router without next hop", tagged(1002, words(0), words(8, 9)), map[string]string{"src_mask": "8", "dst_mask": "9"}},
		{"router of IPv6", tagged(1002, addr6(7), words(48, 64)), map[string]string{"next_hop": "2001:db8::7", "src_mask": "48", "dst_mask": "64"}},
		{"gateway", gateway(addr(0x0a000001), segment(2, 64510, 64511)), map[string]string{"next_hop": "10.0.0.1", "src_as": "64501", "dst_as": "64511"}},
		{"gateway, own route", gateway(addr6(7)), map[string]string{"next_hop": "2001:db8::7", "src_as": "64501"}},
		{"gateway, set behind sequence", gateway(addr(0x0a000001), segment(2, 64510, 64511), segment(1, 64520, 64521)), map[string]string{"next_hop": "10.0.0.1", "src_as": "64501", "dst_as": "64511"}},
		{"gateway, set alone", gateway(addr(0x0a000001), segment(1, 64520, 64521), segment(2)), map[string]string{"next_hop": "10.0.0.1", "src_as": "64501", "dst_as": "64521"}},
		{"the router's next hop before the gateway's", join(gateway(addr(0x0a000001)), tagged(1002, addr(0x0a000002), words(10, 11))), map[string]string{"next_hop": "10.0.0.2", "src_mask": "10", "dst_mask": "11", "src_as": "64501"}},
		{"MPLS", tagged(1006, addr(0x0a000001), words(4, 0x12345040, 0x00010040, 0x00020040, 0x00030140), words(0)), map[string]string{"next_hop": "10.0.0.1", "mpls_label_1": "74565", "mpls_label_2": "16", "mpls_label_3": "32"}},
		{"NAT", tagged(1007, addr(0xcb007101), addr6(2)), map[string]string{"src_addr_nat": "203.0.113.1", "dst_addr_nat": "2001:db8::2"}},
		{"NAT of ports", tagged(1020, words(1024, 65535)), map[string]string{"src_port_nat": "1024", "dst_port_nat": "65535"}},
		{"users, queues and vendors", join(tagged(1004, words(106, 0, 106, 0)), tagged(1036, words(5)), tagged(4413<<12|1, words(1, 2, 3))), nil},
		{"IP in PPP", tagged(1, words(7, 100, 0, 24, 0xff030021), packet()[14:34]), map[string]string{"bytes": "100", "protocol": "6", "ip_version": "4",
			"src_addr": "192.0.2.1", "dst_addr": "198.51.100.2", "tos": "184", "ip_ttl": "64"}},
		{"a header of unknown kind", tagged(1, words(5, 100, 0, 4, 0)), map[string]string{"bytes": "100"}},
	} {
		b, tally := decode(datagram(flowSample(c.records)))
		want := frametest.Columns(base, 0)
		for column, value := range c.want {
			want[column] = value
		}
		if diff := cmp.Diff(want, frametest.Columns(b, 0)); diff != "" || tally.ByReason() != nil {
			t.Errorf("%s: dropped %v (-want +got):\n%s", c.name, tally.ByReason(), diff)
		}
	}
}

// TestCutRecords: a record that is too short is counted, adds nothing, and does not
// spoil the others.
func TestCutRecords(t *testing.T) {
	router := tagged(1002, addr(0x0a0000fe), words(24, 16))
	for _, c := range []struct {
		format uint32
		body   []byte
	}{
		{1, words(1, 1518, 4)},
		{2, make([]byte, 16)},
		{3, make([]byte, 28)},
		{4, make([]byte, 52)},
		{1003, join(addr(1), words(1, 2, 3))},
		{1003, join(addr(1), words(1, 2, 3, 1, 2, 0xffffffff, 64510))},
		{1003, join(addr(1), words(1, 2, 3, 0xffffffff, 2, 1, 64510))},
		{1006, join(addr(1), words(0x40000001, 1))},
		{1007, addr(1)},
		{1007, join(words(3), make([]byte, 32))},
		{1012, words(2, 1)},
		{1020, words(1)},
	} {
		b, tally := decode(datagram(flowSample(tagged(c.format, c.body), router)))
		only, _ := decode(datagram(flowSample(router)))
		if diff := cmp.Diff(frametest.Columns(only, 0), frametest.Columns(b, 0)); diff != "" {
			t.Errorf("%d, %d bytes (-want +got):\n%s", c.format, len(c.body), diff)
		}
		if diff := cmp.Diff(map[string]uint64{"decoder_error": 1}, tally.ByReason()); diff != "" {
			t.Errorf("%d, %d bytes: dropped (-want +got):\n%s", c.format, len(c.body), diff)
		}
	}
}

// TestPorts reads the interfaces of both kinds of sample.
func TestPorts(t *testing.T) {
	compact := func(in, out uint32) []byte { return tagged(1, words(1, 0, 100, 0, 0, in, out, 0)) }
	expanded := func(inFormat, in, outFormat, out uint32) []byte {
		return tagged(3, words(1, 0, 0, 100, 0, 0, inFormat, in, outFormat, out, 0))
	}
	for _, c := range []struct {
		name       string
		sample     []byte
		in, out    uint32
		forwarding uint8
	}{
		{"two interfaces", compact(7, 8), 7, 8, 0},
		{"unknown", compact(0, 0), 0, 0, 0},
		{"several", compact(7, 2<<30|3), 7, 0, 0},
		{"to the router itself", compact(7, 0x3fffffff), 7, 0, 0},
		{"from the router itself", compact(0x3fffffff, 8), 0, 8, 0},
		{"dropped, who knows why", compact(7, 1<<30|256), 7, 0, 128},
		{"dropped by an access list", compact(7, 1<<30|258), 7, 0, 129},
		{"dropped, no route", compact(7, 1<<30), 7, 0, 131},
		{"dropped, too big", compact(7, 1<<30|4), 7, 0, 133},
		{"dropped, hops", compact(7, 1<<30|257), 7, 0, 137},
		{"dropped, rate", compact(7, 1<<30|261), 7, 0, 138},
		{"dropped, RED", compact(7, 1<<30|260), 7, 0, 139},
		{"two interfaces, expanded", expanded(0, 1<<24|7, 0, 1<<31), 1<<24 | 7, 1 << 31, 0},
		{"dropped, expanded", expanded(0, 7, 1, 258), 7, 0, 129},
		{"unset, expanded", expanded(0, 0xffffffff, 0, 0xffffffff), 0, 0, 0},
	} {
		b, tally := decode(datagram(c.sample))
		if b.InIf[0] != c.in || b.OutIf[0] != c.out || b.Forwarding[0] != c.forwarding || b.SamplingInterval[0] != 100 || tally.ByReason() != nil {
			t.Errorf("%s: from %d to %d, forwarding %d, one of %d", c.name, b.InIf[0], b.OutIf[0], b.Forwarding[0], b.SamplingInterval[0])
		}
	}
}
