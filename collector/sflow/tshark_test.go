package sflow_test

import (
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"tapwatch/collector/frame/frametest"
)

// tsharkErrs are the packets in which tshark sees something else, and why that is
// not what they are.
var tsharkErrs = map[string]string{
	"4 in 4 that is not":                 "goes by the version in what protocol 4 carries, though that has its own number for IPv6",
	"VXLAN's port, no VXLAN":             "goes by the port, though the I flag is not set",
	"pseudo-wire to a MAC address in 45": "takes the MAC address for an IP header, though its checksum is wrong",
	"pseudo-wire to a MAC address in 68": "takes the MAC address for an IP header",
}

// TestTunnelsTshark compares with what tshark reads of the same sampled headers.
func TestTunnelsTshark(t *testing.T) {
	data, err := os.ReadFile(tunnelsTshark)
	if err != nil {
		t.Fatal(err)
	}
	var read []map[string][]string
	if err := json.Unmarshal(data, &read); err != nil {
		t.Fatal(err)
	}
	b, sampled := tunnels(t)
	if len(read) != b.Len() {
		t.Fatalf("tshark reads %d headers, of %d", len(read), b.Len())
	}
	for i, p := range sampled {
		if tsharkErrs[p.Name] != "" {
			continue
		}
		for _, diff := range compareTshark(frametest.Columns(b, i), read[i]) {
			t.Errorf("%s: %s", p.Name, diff)
		}
	}
}

// compareTshark compares columns with the fields that tshark shows, each from the
// outermost header to the innermost.
func compareTshark(got map[string]string, read map[string][]string) (diffs []string) {
	check := func(field string, index int, column string) {
		if index >= len(read[field]) {
			return
		}
		want := read[field][index]
		if field == "vlan.id" && want == "0" && len(read[field]) > 1 {
			want = read[field][1] // the first is a priority tag
		}
		if n, err := strconv.ParseUint(want, 0, 64); err == nil {
			want = fmt.Sprint(n)
		}
		if want == "0" {
			want = ""
		}
		if got[column] != want {
			diffs = append(diffs, fmt.Sprintf("%s is %q, tshark's %s %q", column, got[column], field, want))
		}
	}
	ip := map[string]map[string]string{
		"4": {"src": "ip.src", "dst": "ip.dst", "ttl": "ip.ttl", "protocol": "ip.proto", "id": "ip.id", "offset": "ip.frag_offset", "tos": "ip.dsfield"},
		"6": {"src": "ipv6.src", "dst": "ipv6.dst", "ttl": "ipv6.hlim", "protocol": "ipv6.nxt", "id": "ipv6.fraghdr.ident", "offset": "ipv6.fraghdr.offset", "tos": "ipv6.tclass"},
	}
	outer := got["ip_version"]
	for field, column := range map[string]string{"src": "src_addr", "dst": "dst_addr", "ttl": "ip_ttl", "id": "fragment_id", "offset": "fragment_offset", "tos": "tos"} {
		check(ip[outer][field], 0, column)
	}
	if extensions := outer == "6" && strings.Contains("0 43 44 51 60", read["ipv6.nxt"][0]); !extensions {
		check(ip[outer]["protocol"], 0, "protocol")
	}
	for field, column := range map[string]string{
		"vlan.id": "src_vlan", "gre.key": "tunnel_id", "gre.key.call_id": "tunnel_id", "erspan.spanid": "tunnel_id", "vxlan.vni": "tunnel_id",
		"geneve.vni": "tunnel_id", "gtp.teid": "tunnel_id", "icmp.type": "icmp_type", "icmp.code": "icmp_code", "icmpv6.type": "icmp_type", "icmpv6.code": "icmp_code",
	} {
		if field != "vlan.id" || len(read["eth.src"]) == 1 {
			check(field, 0, column)
		}
	}
	if len(read["gre.proto"]) == 0 { // else they are an inner packet's
		check("mpls.label", 0, "mpls_label_1")
		check("mpls.label", 1, "mpls_label_2")
	}
	compareEnds(got, read, ip, check)
	return diffs
}

// compareEnds compares ports and the inner packet's ends.
func compareEnds(got map[string]string, read map[string][]string, ip map[string]map[string]string, check func(field string, index int, column string)) {
	transport := map[string]string{"6": "tcp", "17": "udp", "132": "sctp"}
	index := 0
	if l4 := transport[got["protocol"]]; l4 != "" {
		check(l4+".srcport", 0, "src_port")
		check(l4+".dstport", 0, "dst_port")
		index = 1
	}
	if got["protocol"] == "6" {
		check("tcp.flags", 0, "tcp_flags")
	}
	if got["tunnel"] == "" {
		return
	}
	inner := "4"
	if strings.Contains(got["inner_src_addr"], ":") {
		inner = "6"
	}
	at := 0
	if inner == got["ip_version"] {
		at = 1
	}
	check(ip[inner]["src"], at, "inner_src_addr")
	check(ip[inner]["dst"], at, "inner_dst_addr")
	check(ip[inner]["protocol"], at, "inner_protocol")
	if l4 := transport[got["inner_protocol"]]; l4 != "" {
		if l4 != transport[got["protocol"]] {
			index = 0
		}
		check(l4+".srcport", index, "inner_src_port")
		check(l4+".dstport", index, "inner_dst_port")
	}
}
