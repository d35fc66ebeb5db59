package collector_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"tapwatch/flow"
	"tapwatch/internal/packets"
)

// partsFolder holds exports by real exporters of what few exporters send. The
// traffic was made by internal/packets: what is expected of a flow is what the
// packets hold.
const partsFolder = fixtures + "/parts/"

// TestPartsOfFixtures compares what each holds with what nfdump or tshark counts. A
// direction of a biflow without packets is no flow.
func TestPartsOfFixtures(t *testing.T) {
	data, err := os.ReadFile(partsFolder + "expected.json")
	if err != nil {
		t.Fatal(err)
	}
	var expected map[string]packets.Report
	if err := json.Unmarshal(data, &expected); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(partsFolder + "*.pcap")
	if err != nil || len(files) != len(expected) {
		t.Fatalf("%d fixtures, %d expected: %v", len(files), len(expected), err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			want := expected[filepath.Base(file)]
			b, total := decodeFile(t, file)
			var got packets.Report
			for i := range b.Len() {
				got.Bytes += b.Bytes[i]
				got.Packets += b.Packets[i]
				if b.Packets[i] > 0 {
					got.Flows++
				}
			}
			if got.Flows != want.Flows || got.Bytes != want.Bytes || got.Packets != want.Packets {
				t.Errorf("got %+v, want %+v", got, want)
			}
			if want.Starts != nil && !slices.Equal(b.StartAt, want.Starts) {
				t.Errorf("starts %v, tshark reads %v", b.StartAt, want.Starts)
			}
			if dropped := total.ByReason(); len(dropped) != 0 {
				t.Errorf("dropped %v", dropped)
			}
		})
	}
}

// partOfFixture is a part of a protocol that a fixture shows: the columns of the
// flow of a protocol and destination port, the first of several.
type partOfFixture struct {
	part     string
	fixture  string
	protocol uint8
	dstPort  uint16
	want     shown
}

const (
	protoICMP, protoTCP, protoUDP, protoGRE, protoICMP6 = 1, 6, 17, 47, 58

	ethernet = "parts/softflowd-ipfix-ether.pcap"
	psamp    = "parts/softflowd-psamp.pcap"
	ovsFlows = "parts/ovs-ipfix.pcap"
	ovsFlow5 = "parts/ovs-sflow5.pcap"
)

// The hosts of the special traffic.
var (
	specialSrc, specialDst = packets.SpecialSrc.String(), packets.SpecialDst.String()
	src6, dst6             = packets.SpecialSrc6.String(), packets.SpecialDst6.String()
	innerSrc, innerDst     = packets.SpecialInnerSrc.String(), packets.SpecialInnerDst.String()
	srcMACNumber           = strconv.Itoa(0x02_77_01_00_00_01)
	dstMACNumber           = strconv.Itoa(0x02_77_01_00_00_02)
	tosNumber              = strconv.Itoa(packets.SpecialTOS)
	ttlNumber              = strconv.Itoa(packets.SpecialTTL)
	vlanNumber             = strconv.Itoa(packets.SpecialVLAN)
	topLabel               = strconv.Itoa(packets.SpecialTopLabel)
	bottomLabel            = strconv.Itoa(packets.SpecialBottomLabel)
	fragmentID             = strconv.Itoa(packets.SpecialFragmentID)
	fragmentOffset         = strconv.Itoa(packets.SpecialFragmentOffset)
)

func tunnel(kind int8, id, protocol, port string) shown {
	return shown{
		"src_addr": specialSrc, "dst_addr": specialDst, "tunnel": strconv.Itoa(int(kind)), "tunnel_id": id,
		"inner_src_addr": innerSrc, "inner_dst_addr": innerDst, "inner_protocol": protocol, "inner_dst_port": port,
	}
}

var (
	vxlan = tunnel(flow.TunnelVXLAN, strconv.Itoa(packets.SpecialVNI), "6", "443")
	gre   = tunnel(flow.TunnelGRE, strconv.Itoa(packets.SpecialGREKey), "17", "5001")
	// Of a frame with the second fragment of a datagram.
	fragment = shown{"fragment_id": fragmentID, "fragment_offset": fragmentOffset, "src_port": "0"}
	labels   = shown{"mpls_label_1": topLabel, "mpls_label_2": bottomLabel, "mpls_label_3": "0"}
	tagged   = shown{"src_addr": specialSrc, "src_vlan": vlanNumber, "src_mac": srcMACNumber, "dst_mac": dstMACNumber, "tos": tosNumber}
	over6    = shown{"src_addr": src6, "dst_addr": dst6, "ip_version": "6", "ip_ttl": ttlNumber, "tos": tosNumber}
	refused  = shown{"icmp_type": "3", "icmp_code": "1"}
)

var partsOfFixtures = []partOfFixture{
	// softflowd -T ether -x 3: elements 56, 57, 58, 70-72, 32.
	{"VLAN and MAC of IPFIX (56, 57, 58)", ethernet, protoTCP, 443, tagged},
	{"MPLS labels of IPFIX (70-72)", ethernet, protoUDP, 646, labels},
	{"ICMP type and code (32)", ethernet, protoICMP, 0, refused},
	{"ICMPv6 type and code (139)", "softflowd-ipfix.pcap", protoICMP6, 0, shown{"icmp_type": "128", "icmp_code": "0"}},
	{"flow end reason (136)", ethernet, protoTCP, 443, shown{"end_reason": "1"}},

	// softflowd -v psamp: elements 315 (the frame) and 324 (when).
	{"PSAMP: frame with a VLAN (315)", psamp, protoTCP, 443, tagged},
	{"PSAMP: microseconds (324)", psamp, protoTCP, 443, shown{"end_at": "1772442000010"}}, // tshark: 09:00:00.010000999
	{"PSAMP: MPLS labels", psamp, protoUDP, 646, labels},
	{"PSAMP: fragment", psamp, protoUDP, 0, fragment},
	{"PSAMP: time to live", psamp, protoTCP, 443, shown{"ip_ttl": ttlNumber}},
	{"PSAMP: IPv6", psamp, protoUDP, 9000, over6},
	{"PSAMP: ICMP", psamp, protoICMP, 0, refused},
	{"PSAMP: VXLAN", psamp, protoUDP, 4789, vxlan},
	{"PSAMP: GRE", psamp, protoGRE, 0, gre},

	// Open vSwitch: elements 58, 61, 158, 159, 192, 195, 176, 177, 352.
	{"VLAN (58, 243)", ovsFlows, protoTCP, 443, tagged},
	{"time to live (192)", ovsFlows, protoTCP, 443, shown{"ip_ttl": ttlNumber}},
	{"ICMP type, ICMP code (176, 177)", ovsFlows, protoICMP, 0, refused},
	{"IPv6 behind fields of variable length", ovsFlows, protoUDP, 9000, over6},
	{"direction (61)", ovsFlows, protoTCP, 443, shown{"direction": "1"}},
	{"octets of layer 2 alone (352)", ovsFlows, 0, 0, shown{"bytes": "150", "packets": "1"}}, // tshark: Layer2 Octet Delta Count 150

	// Open vSwitch's sFlow: flow sample, sampled header, extended switch.
	{"sFlow: VLAN", ovsFlow5, protoTCP, 443, tagged},
	{"sFlow: time to live", ovsFlow5, protoTCP, 443, shown{"ip_ttl": ttlNumber}},
	{"sFlow: MPLS labels", ovsFlow5, protoUDP, 646, labels},
	{"sFlow: fragment", ovsFlow5, protoUDP, 0, fragment},
	{"sFlow: IPv6", ovsFlow5, protoUDP, 9000, over6},
	{"sFlow: VXLAN", ovsFlow5, protoUDP, 4789, vxlan},
	{"sFlow: GRE", ovsFlow5, protoGRE, 0, gre},

	// softflowd -s 10: sampling in the header of v5 and in options data of v9 (34,
	// 35, of an interface) and IPFIX (304-306).
	{"sampling in the v5 header", "parts/softflowd-netflow5-sampled.pcap", protoTCP, 443, shown{"sampling_interval": "10"}},
	{"sampling in v9 options data", "parts/softflowd-netflow9-sampled.pcap", protoTCP, 443, shown{"sampling_interval": "10"}},
	{"sampling in IPFIX options data", "parts/softflowd-ipfix-sampled.pcap", protoTCP, 443, shown{"sampling_interval": "10"}},

	// The two that few still speak.
	{"netflow v1", "parts/softflowd-netflow1.pcap", protoUDP, 9000, shown{"export_protocol": "1", "src_addr": "10.77.0.1", "dst_addr": "10.77.0.101"}},
	{"netflow v1: TCP flags", "parts/softflowd-netflow1.pcap", protoTCP, 8443, shown{"tcp_flags": "2"}},
	{"netflow v7", "parts/fprobe-netflow7.pcap", protoUDP, 9000, shown{"export_protocol": "7", "ip_version": "4"}},
	{"netflow v7: TCP flags", "parts/fprobe-netflow7.pcap", protoTCP, 8443, shown{"tcp_flags": "2"}},
}

// TestPartsOfFixture checks each part with the fixture that shows it.
func TestPartsOfFixture(t *testing.T) {
	for _, p := range partsOfFixtures {
		t.Run(p.part, func(t *testing.T) {
			b, _ := decodeFile(t, filepath.Join(fixtures, p.fixture))
			i, ok := p.find(b)
			if !ok {
				t.Fatalf("%s: no flow of protocol %d to port %d among %d", p.fixture, p.protocol, p.dstPort, b.Len())
			}
			if diff := p.want.difference(b, i); diff != "" {
				t.Errorf("%s: %s", p.fixture, diff)
			}
		})
	}
}

func (p *partOfFixture) find(b *flow.Batch) (int, bool) {
	for i := range b.Len() {
		if b.Protocol[i] == p.protocol && b.DstPort[i] == p.dstPort {
			return i, true
		}
	}
	return 0, false
}

// TestPartsTimes compares the ways to write absolute times (150 and 151, 154 to
// 157), and NetFlow v1's, with times relative to the start of the exporter (21, 22
// and 160), which softflowd exports of the same traffic.
func TestPartsTimes(t *testing.T) {
	relative, _ := decodeFile(t, fixtures+"/softflowd-ipfix.pcap")
	want := timesByFlow(relative)
	for _, c := range []struct {
		fixture   string
		tolerance time.Duration
	}{
		{"softflowd-ipfix-seconds.pcap", time.Second},
		{"softflowd-ipfix-microseconds.pcap", 0},
		{"softflowd-ipfix-nanoseconds.pcap", 0},
		// softflowd rounds the time of its header.
		{"softflowd-netflow1.pcap", time.Second},
		{"softflowd-ipfix-biflow.pcap", 0},
	} {
		b, _ := decodeFile(t, partsFolder+c.fixture)
		got := timesByFlow(b)
		if len(got) == 0 {
			t.Errorf("%s: no flows", c.fixture)
		}
		for key, times := range got {
			for i := range times {
				if off := time.Duration(times[i]-want[key][i]) * time.Millisecond; off.Abs() > c.tolerance {
					t.Errorf("%s: %+v: %s off", c.fixture, key, off)
				}
			}
		}
	}
}

type flowKey struct {
	specialSrc, specialDst [16]byte
	srcPort, dstPort       uint16
	protocol               uint8
}

// timesByFlow gives start and end of the flows with packets that are told apart by
// ports.
func timesByFlow(b *flow.Batch) map[flowKey][2]int64 {
	all := make(map[flowKey][2]int64)
	for i := range b.Len() {
		if b.Packets[i] > 0 && (b.Protocol[i] == protoTCP || b.Protocol[i] == protoUDP) {
			all[flowKey{b.SrcAddr[i], b.DstAddr[i], b.SrcPort[i], b.DstPort[i], b.Protocol[i]}] = [2]int64{b.StartAt[i], b.EndAt[i]}
		}
	}
	return all
}

// TestPartsBiflow compares softflowd's biflows (RFC 5103) with the two flows each is
// in an export of the same traffic without.
func TestPartsBiflow(t *testing.T) {
	flows, _ := decodeFile(t, fixtures+"/softflowd-ipfix.pcap")
	biflows, _ := decodeFile(t, partsFolder+"softflowd-ipfix-biflow.pcap")
	want, got := countsByFlow(flows), countsByFlow(biflows)
	if len(want) != len(got) {
		t.Errorf("%d flows of TCP and UDP, want %d", len(got), len(want))
	}
	for key, counts := range want {
		if got[key] != counts {
			t.Errorf("%+v: %v, want %v", key, got[key], counts)
		}
	}
}

// countsByFlow gives bytes, packets and TCP flags of the flows with ports.
func countsByFlow(b *flow.Batch) map[flowKey][3]uint64 {
	all := make(map[flowKey][3]uint64)
	for i := range b.Len() {
		if b.Packets[i] > 0 && (b.Protocol[i] == protoTCP || b.Protocol[i] == protoUDP) {
			key := flowKey{b.SrcAddr[i], b.DstAddr[i], b.SrcPort[i], b.DstPort[i], b.Protocol[i]}
			all[key] = [3]uint64{b.Bytes[i], b.Packets[i], uint64(b.TCPFlags[i])}
		}
	}
	return all
}

// TestPartsFprobeTimes makes sure that fprobe's NetFlow v7 has the times of the
// moment when it was recorded: within ten seconds before the header's.
func TestPartsFprobeTimes(t *testing.T) {
	file := partsFolder + "fprobe-netflow7.pcap"
	header := datagrams(t, file)[0].Payload
	exported := time.Unix(int64(header[8])<<24|int64(header[9])<<16|int64(header[10])<<8|int64(header[11]), 0)
	b, _ := decodeFile(t, file)
	for i := range b.Len() {
		start, end := time.UnixMilli(b.StartAt[i]), time.UnixMilli(b.EndAt[i])
		if start.Before(exported.Add(-10*time.Second)) || end.Before(start) || end.After(exported.Add(10*time.Second)) {
			t.Fatalf("record %d from %s to %s, exported %s", i, start, end, exported)
		}
	}
}
