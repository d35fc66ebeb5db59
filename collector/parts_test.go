package collector_test

import (
	"cmp"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"tapwatch/flow"
	"tapwatch/internal/captures"
)

// partOfCapture is a part of a protocol that a capture of a real device shows: a
// column that has in every record what tshark reads there.
type partOfCapture struct {
	part    string
	capture string
	// field is tshark's; of several values in a record the one at nth.
	field string
	nth   int
	// column gives what the batch has as tshark prints it.
	column func(b *flow.Batch, i int) string
	// values is how many different values other than the default tshark reads at
	// least: without any the capture would show nothing.
	values int
}

const (
	logstash  = "logstash-codec-netflow/cases/"
	pmacct    = "netgauze/pmacct-tests/"
	ciscoMPLS = pmacct + "501-IPFIXv10-BGP-IPv6-CISCO-MPLS/traffic-00.pcap"
	ciscoL3   = pmacct + "100-IPFIXv10-CISCO/traffic-00.pcap"
	ciscoVRF  = pmacct + "102-NFv9-CISCO-f2rd-pretag-sampling-reload/traffic-00.pcap"
	ciscoLSP  = pmacct + "101-NFv9-CISCO-cust_primitives/traffic-00.pcap"
	ciscoMix  = pmacct + "111-IPFIXv10-NFv9-IPv6-IPv4-mix_sources/traffic-01.pcap"
	srv6      = "netgauze/flow/srv6/srv6.pcap"
	asr9000   = logstash + "netflow-9-cisco-asr-9000-series-template-260.pcap"
	asr1001   = logstash + "netflow-9-cisco-asr1001-x.pcap"
	cisco1941 = logstash + "netflow-9-cisco-1941-k9-release-15-1.pcap"
	asa       = logstash + "netflow-9-cisco-asa.pcap"
	paloAlto  = logstash + "netflow-9-palo-alto-pan-os-with-app-id.pcap"
	mikrotik  = logstash + "ipfix-mikrotik-routeros-6-39-2.pcap"
	netscaler = logstash + "ipfix-netscaler-with-variable-length-fields.pcap"
	barracuda = logstash + "ipfix-barracuda-extended-uniflow-template-256.pcap"
	iptables  = logstash + "netflow-9-ipt-netflow-reduced-size-encoding.pcap"
	flowmon   = "cesnet-ipfixcol/01-odid0.ipfix.pcap"
	ipfixprob = "cesnet-ipfixcol2/example_flows.ipfix.pcap"
)

var partsOfCaptures = []partOfCapture{
	// NetFlow v1, v5, v7 (the last one derived from v5, see TestPartsOfFixtures).
	{"netflow v1 ports", "streamsets/netflow-v1-file-1.pcap", "dstport", 0, number(dstPort), 10},
	{"netflow v1 octets", "bitkeks-softflowd/v1.pcap", "octets", 0, number(octets), 1},
	{"netflow v1 protocol", "bitkeks-softflowd/v1.pcap", "protocol", 0, number(protocol), 1},
	{"netflow v5 next hop", logstash + "netflow5-mikrotik.pcap", "nexthop", 0, addr(nextHop), 10},
	{"netflow v5 source AS", logstash + "netflow5-juniper-mx80.pcap", "srcas", 0, number(srcAS), 3},
	{"netflow v5 masks", "vflow/v5_decoder_test.netflow.pcap", "srcmask", 0, number(srcMask), 5},
	{"netflow v7 next hop", "derived/v7-from-mikrotik-v5.pcap", "nexthop", 0, addr(nextHop), 10},

	// How IPFIX writes fields: those of an enterprise and of variable length come
	// before the ones read here.
	{"variable length, enterprise (Flowmon)", flowmon, "dstport", 0, number(dstPort), 100},
	{"variable length, enterprise (NetScaler)", netscaler, "octets", 0, number(octets), 1},
	{"variable length, enterprise (Barracuda)", barracuda, "dstport", 0, number(dstPort), 1},
	{"reduced size of interfaces (2 bytes)", iptables, "inputint", 0, number(inIf), 1},
	{"reduced size of counters", iptables, "octets", 0, number(octets), 5},

	// Who talks with whom.
	{"IPv4 addresses", mikrotik, "srcaddr", 0, addr(srcAddr), 10},
	{"IPv6 addresses", srv6, "srcaddrv6", 0, addr(srcAddr), 2},
	{"ports", ipfixprob, "srcport", 0, transport(srcPort), 1000},
	{"ICMP type and code (32)", ipfixprob, "icmp_type_code_ipv4", 0, icmpTypeCode, 5},
	{"ICMP type (176)", asa, "icmp_ipv4_type", 0, icmpOnly(icmpType), 2},
	{"type of service", ciscoL3, "tos", 0, hex(tos), 1},
	{"TCP flags", ipfixprob, "tcpflags", 0, tcpOnly(tcpFlags), 5},
	{"time to live (192)", flowmon, "ip_ttl", 0, number(ttl), 10},
	{"minimum time to live (52)", ciscoMix, "ttl_min", 0, number(ttl), 4},

	// When.
	{"start in milliseconds (152)", flowmon, "abstimestart", 0, milliseconds(startAt), 1000},
	{"end in milliseconds (153)", flowmon, "abstimeend", 0, milliseconds(endAt), 1000},
	{"start in seconds (150)", logstash + "netflow-9-ie150-ie151.pcap", "abstimestart", 0, milliseconds(startAt), 2},
	{"end in seconds (151)", logstash + "netflow-9-ie150-ie151.pcap", "abstimeend", 0, milliseconds(endAt), 2},
	{"start in microseconds (154)", netscaler, "abstimestart", 0, milliseconds(startAt), 1},
	{"end in microseconds (155)", netscaler, "abstimeend", 0, milliseconds(endAt), 1},
	{"observed in milliseconds (323)", asa, "observation_time_milliseconds", 0, milliseconds(endAt), 5},

	// What was counted.
	{"octets and packets, delta", ipfixprob, "packets", 0, number(packetsOf), 50},
	{"octets, total (85)", asa, "permanent_octets", 0, number(octets), 2},
	{"flow end reason", ciscoL3, "flow_end_reason", 0, number(endReason), 1},
	{"forwarding status, one byte", asr9000, "forwarding_status", 0, number(forwarding), 1},
	{"forwarding status, four bytes", srv6, "forwarding_status", 0, number(forwarding), 2},

	// The way through the router.
	{"input interface", cisco1941, "inputint", 0, number(inIf), 2},
	{"output interface", asr9000, "outputint", 0, number(outIf), 2},
	{"direction", asr1001, "direction", 0, direction, 1},
	{"VLAN (243)", ciscoMPLS, "dot1q_vlan_id", 0, number(srcVLAN), 1},
	{"source MAC", cisco1941, "srcmac", 0, mac(srcMAC), 10},
	{"destination MAC", logstash + "netflow-9-macaddress.pcap", "dstmac", 0, mac(dstMAC), 3},
	{"next hop (15)", cisco1941, "nexthop", 0, addr(nextHop), 10},
	{"next hop (62)", ciscoL3, "nexthopv6", 0, addr(nextHop), 1},
	{"BGP next hop (18)", asr9000, "bgpnexthop", 0, addr(nextHop), 8},
	{"BGP next hop (63)", ciscoMPLS, "bgpnexthopv6", 0, addr(nextHop), 4},
	{"source AS", asr9000, "srcas", 0, number(srcAS), 10},
	{"destination AS", asr9000, "dstas", 0, number(dstAS), 8},
	{"source mask", asr9000, "srcmask", 0, number(srcMask), 5},
	{"source mask of IPv6", ciscoMPLS, "srcmaskv6", 0, number(srcMask), 2},
	{"destination mask of IPv6", ciscoMix, "dstmaskv6", 0, number(dstMask), 2},
	{"ingress VRF", ciscoVRF, "ingress_vrfid", 0, number(inVRF), 6},
	{"egress VRF", ciscoMPLS, "egress_vrfid", 0, number(outVRF), 2},
	{"MPLS label 1 (NetFlow v9)", ciscoLSP, "mpls_label", 0, number(label1), 2},
	{"MPLS label 2 (NetFlow v9)", ciscoLSP, "mpls_label", 1, number(label2), 5},
	{"MPLS label 3 (NetFlow v9)", ciscoLSP, "mpls_label", 2, number(label3), 0},
	{"MPLS label 1 (IPFIX)", ciscoL3, "mpls_label", 0, number(label1), 1},
	{"MPLS label 2 (IPFIX)", ciscoL3, "mpls_label", 1, number(label2), 1},

	// Translation and firewalls.
	{"source after translation (225)", mikrotik, "post_natsource_ipv4_address", 0, addr(srcAddrNAT), 10},
	{"destination after translation (226)", mikrotik, "post_natdestination_ipv4_address", 0, addr(dstAddrNAT), 10},
	{"source after translation (40001)", asa, "post_natsource_ipv4_address", 0, addr(srcAddrNAT), 5},
	{"destination after translation (40002)", asa, "post_natdestination_ipv4_address", 0, addr(dstAddrNAT), 5},
	{"source port after translation (40003)", asa, "post_naptsource_transport_port", 0, number(srcPortNAT), 3},
	{"destination port after translation (40004)", asa, "post_naptdestination_transport_port", 0, number(dstPortNAT), 2},
	{"firewall event (233)", paloAlto, "firewall_event", 0, number(firewallEvent), 2},
	{"firewall event (40005)", asa, "firewall_event", 0, number(firewallEvent), 1},
}

// readCapture is a capture as tapwatch and as tshark read it.
type readCapture struct {
	batch   *flow.Batch
	records []tsharkRecord
}

// TestPartsOfCaptures checks each part with the capture that shows it, against what
// tshark reads (fields/ beside the captures).
func TestPartsOfCaptures(t *testing.T) {
	byName := make(map[string]captures.Capture)
	for _, c := range captures.Index(t) {
		byName[c.Name] = c
	}
	if len(byName) == 0 {
		return
	}
	all := make(map[string]readCapture)
	read := func(c captures.Capture) readCapture {
		if _, ok := all[c.Name]; !ok {
			b, _ := decodeFile(t, c.Path)
			all[c.Name] = readCapture{b, tsharkRecords(t, c.Fields)}
		}
		return all[c.Name]
	}
	for _, p := range partsOfCaptures {
		t.Run(p.part, func(t *testing.T) {
			c, ok := byName[p.capture]
			if !ok || c.Fields == "" {
				t.Fatalf("%s is not in index.csv, or has no fields", p.capture)
			}
			p.check(t, c, read)
		})
	}
}

func (p *partOfCapture) check(t *testing.T, c captures.Capture, read func(captures.Capture) readCapture) {
	known := read(c)
	b, records := known.batch, known.records
	if len(records) != b.Len() {
		t.Fatalf("%s: tshark reads %d records, tapwatch %d", c.Name, len(records), b.Len())
	}
	seen := make(map[string]bool)
	for i, r := range records {
		want, ok := r.nth(p.field, p.nth)
		if !ok {
			continue
		}
		got := p.column(b, i)
		if got == notSaid {
			continue
		}
		if want = plain(want); got != want {
			t.Fatalf("%s: record %d: got %s, tshark reads %s %s", c.Name, i, got, p.field, want)
		}
		if !slices.Contains([]string{"0", "0x00", "0x0000", "::", "00:00:00:00:00:00"}, want) {
			seen[want] = true
		}
	}
	if len(seen) < p.values {
		t.Errorf("%s has %d values of %s, want %d", c.Name, len(seen), p.field, p.values)
	}
}

// nth gives the value of a field at an index.
func (r tsharkRecord) nth(name string, n int) (string, bool) {
	if n == 0 {
		return r.first(name)
	}
	all, ok := r[name].([]any)
	if !ok || n >= len(all) {
		return "", false
	}
	s, ok := all[n].(string)
	return s, ok
}

// plain brings what tshark prints into the form of the columns: times as Unix
// milliseconds, IPv4 in IPv6 as IPv4, no address as "::".
func plain(text string) string {
	if at, err := time.Parse("Jan _2, 2006 15:04:05.000000000 MST", text); err == nil {
		return strconv.FormatInt(at.UnixMilli(), 10)
	}
	if a, err := netip.ParseAddr(text); err == nil {
		if a.Unmap().IsUnspecified() {
			return "::"
		}
		return a.Unmap().String()
	}
	return text
}

// notSaid is what a column gives that does not apply to the record.
const notSaid = "not said"

// printed is a column as tshark prints it.
type printed = func(b *flow.Batch, i int) string

func number[T cmp.Ordered](column func(b *flow.Batch) []T) printed {
	return func(b *flow.Batch, i int) string { return fmt.Sprint(column(b)[i]) }
}

func milliseconds(column func(b *flow.Batch) []int64) printed { return number(column) }

func addr(column func(b *flow.Batch) [][16]byte) printed {
	return func(b *flow.Batch, i int) string {
		a := flow.Addr(column(b)[i])
		if !a.IsValid() || a.IsUnspecified() {
			return "::"
		}
		return a.String()
	}
}

func mac(column func(b *flow.Batch) []uint64) printed {
	return func(b *flow.Batch, i int) string {
		m := column(b)[i]
		return net.HardwareAddr{byte(m >> 40), byte(m >> 32), byte(m >> 24), byte(m >> 16), byte(m >> 8), byte(m)}.String()
	}
}

func hex(column func(b *flow.Batch) []uint8) printed {
	return func(b *flow.Batch, i int) string { return fmt.Sprintf("0x%02x", column(b)[i]) }
}

// transport leaves out records whose ports are not ports.
func transport(column func(b *flow.Batch) []uint16) printed {
	return func(b *flow.Batch, i int) string {
		if !slices.Contains([]uint8{6, 17, 132}, b.Protocol[i]) {
			return notSaid
		}
		return fmt.Sprint(column(b)[i])
	}
}

func icmpOnly(column func(b *flow.Batch) []uint8) printed {
	return func(b *flow.Batch, i int) string {
		if b.Protocol[i] != 1 {
			return notSaid
		}
		return fmt.Sprint(column(b)[i])
	}
}

func tcpOnly(column func(b *flow.Batch) []uint16) printed {
	return func(b *flow.Batch, i int) string {
		if b.Protocol[i] != 6 {
			return notSaid
		}
		return fmt.Sprintf("0x%02x", column(b)[i])
	}
}

func icmpTypeCode(b *flow.Batch, i int) string {
	if b.Protocol[i] != 1 && b.Protocol[i] != 58 {
		return notSaid
	}
	return fmt.Sprintf("0x%02x%02x", b.ICMPType[i], b.ICMPCode[i])
}

// direction prints the number of element 61.
func direction(b *flow.Batch, i int) string {
	return fmt.Sprint(b.Direction[i] - flow.DirectionIngress)
}

// forwarding is the status without its reason, which is in the upper two bits.
func forwarding(b *flow.Batch) (all []uint8) {
	for _, f := range b.Forwarding {
		all = append(all, f>>6)
	}
	return all
}

func srcAddr(b *flow.Batch) [][16]byte    { return b.SrcAddr }
func srcPort(b *flow.Batch) []uint16      { return b.SrcPort }
func dstPort(b *flow.Batch) []uint16      { return b.DstPort }
func protocol(b *flow.Batch) []uint8      { return b.Protocol }
func octets(b *flow.Batch) []uint64       { return b.Bytes }
func packetsOf(b *flow.Batch) []uint64    { return b.Packets }
func icmpType(b *flow.Batch) []uint8      { return b.ICMPType }
func tos(b *flow.Batch) []uint8           { return b.TOS }
func tcpFlags(b *flow.Batch) []uint16     { return b.TCPFlags }
func ttl(b *flow.Batch) []uint8           { return b.IPTTL }
func startAt(b *flow.Batch) []int64       { return b.StartAt }
func endAt(b *flow.Batch) []int64         { return b.EndAt }
func endReason(b *flow.Batch) []uint8     { return b.EndReason }
func inIf(b *flow.Batch) []uint32         { return b.InIf }
func outIf(b *flow.Batch) []uint32        { return b.OutIf }
func srcVLAN(b *flow.Batch) []uint16      { return b.SrcVLAN }
func srcMAC(b *flow.Batch) []uint64       { return b.SrcMAC }
func dstMAC(b *flow.Batch) []uint64       { return b.DstMAC }
func nextHop(b *flow.Batch) [][16]byte    { return b.NextHop }
func srcAS(b *flow.Batch) []uint32        { return b.SrcAS }
func dstAS(b *flow.Batch) []uint32        { return b.DstAS }
func srcMask(b *flow.Batch) []uint8       { return b.SrcMask }
func dstMask(b *flow.Batch) []uint8       { return b.DstMask }
func inVRF(b *flow.Batch) []uint32        { return b.InVRF }
func outVRF(b *flow.Batch) []uint32       { return b.OutVRF }
func label1(b *flow.Batch) []uint32       { return b.MPLSLabel1 }
func label2(b *flow.Batch) []uint32       { return b.MPLSLabel2 }
func label3(b *flow.Batch) []uint32       { return b.MPLSLabel3 }
func srcAddrNAT(b *flow.Batch) [][16]byte { return b.SrcAddrNAT }
func dstAddrNAT(b *flow.Batch) [][16]byte { return b.DstAddrNAT }
func srcPortNAT(b *flow.Batch) []uint16   { return b.SrcPortNAT }
func dstPortNAT(b *flow.Batch) []uint16   { return b.DstPortNAT }
func firewallEvent(b *flow.Batch) []uint8 { return b.FirewallEvent }

// shown is what the column of a record must be, by its name in flow.Fields.
type shown map[string]string

// difference compares a record with what it must be.
func (s shown) difference(b *flow.Batch, i int) string {
	var all []string
	for _, f := range flow.Fields {
		want, ok := s[f.Name]
		if !ok {
			continue
		}
		got := fmt.Sprint(f.Value(b, i))
		if a, isAddr := f.Value(b, i).([16]byte); isAddr {
			got = "::"
			if valid := flow.Addr(a); valid.IsValid() {
				got = valid.String()
			}
		}
		if got != want {
			all = append(all, fmt.Sprintf("%s is %s, want %s", f.Name, got, want))
		}
	}
	return strings.Join(all, "; ")
}
