package main

import (
	"strings"

	"tapwatch/inventory"
)

// column is a column of akvorado's table flows: its name, type and codec, and what
// tapwatch's flows hold for it; an empty expression: nothing, it stays at its default.
type column struct{ name, typ, codec, expression string }

// akvoradoColumns are the columns of akvorado (https://github.com/akvorado/akvorado) that
// are on by default, with their types and codecs, as its documentation of the database
// schema and of the console's dimensions tells them. These are facts of its published
// schema; nothing of its code is in here. What akvorado would know from an operator's
// configuration is filled from the same knowledge in the inventory: names and sites of
// exporters, roles of interfaces, networks (zones). Its interfaces have names where
// tapwatch's have numbers.
func akvoradoColumns(inv *inventory.Inventory) []column {
	all := []column{
		{"TimeReceived", "DateTime", "DoubleDelta, LZ4", "received_at"},
		{"SamplingRate", "UInt64", "", "sampling_interval"},
		{"ExporterAddress", "LowCardinality(IPv6)", "", "exporter"},
		{"ExporterName", text, "", exporterText(inv, func(e *inventory.Exporter) string { return e.Name })},
		{"ExporterGroup", text, "", ""},
		{"ExporterRole", text, "", ""},
		{"ExporterSite", text, "", exporterText(inv, func(e *inventory.Exporter) string { return e.Site })},
		{"ExporterRegion", text, "", ""},
		{"ExporterTenant", text, "", ""},
	}
	for _, end := range []string{"src", "dst"} {
		is := func(name, typ, codec, expression string) {
			all = append(all, column{capital(end) + name, typ, codec, strings.ReplaceAll(expression, "END", end)})
		}
		is("Addr", "IPv6", "ZSTD(1)", "END_addr")
		is("NetMask", "UInt8", "", "END_mask")
		is("AS", "UInt32", "", "if(END_as = 0, END_asn, END_as)")
		is("NetName", text, "", "END_zone")
		is("NetRole", text, "", "END_zone_kind")
		is("NetSite", text, "", "")
		is("NetRegion", text, "", "")
		is("NetTenant", text, "", "")
		is("Country", "FixedString(2)", "", "END_country")
		is("GeoCity", text, "", "")
		is("GeoState", text, "", "")
		is("Port", "UInt16", "", "END_port")
	}
	all = append(all,
		column{"DstASPath", "Array(UInt32)", "", ""},
		column{"Dst1stAS", "UInt32", "", ""},
		column{"Dst2ndAS", "UInt32", "", ""},
		column{"Dst3rdAS", "UInt32", "", ""},
		column{"DstCommunities", "Array(UInt32)", "", ""},
		column{"DstLargeCommunities", "Array(UInt128)", "", ""},
	)
	for _, side := range []string{"in", "out"} {
		role := interfaceRole(inv, side+"_if")
		is := func(name, typ, expression string) {
			all = append(all, column{capital(side) + name, typ, "", expression})
		}
		is("IfName", text, "toString("+side+"_if)")
		is("IfDescription", text, "")
		is("IfSpeed", "UInt32", "")
		is("IfConnectivity", text, role)
		is("IfProvider", text, "")
		is("IfBoundary", "Enum8('undefined' = 0, 'external' = 1, 'internal' = 2)",
			"multiIf("+role+" = '', 'undefined', "+role+" IN ('peering', 'customer'), 'external', 'internal')")
	}
	return append(all,
		column{"EType", "UInt32", "", "if(ip_version = 6, 34525, 2048)"},
		column{"Proto", "UInt32", "", "protocol"},
		column{"Bytes", "UInt64", "T64, LZ4", "bytes"},
		column{"Packets", "UInt64", "T64, LZ4", "packets"},
		column{"ForwardingStatus", "UInt32", "", "forwarding_status"},
		column{"FlowDirection", "Enum8('undefined' = 0, 'ingress' = 1, 'egress' = 2)", "", "CAST(direction AS Int8)"},
	)
}

// akvoradoMore are columns that akvorado has where an operator turns them on, and that
// hold what tapwatch's flows hold too.
func akvoradoMore() []column {
	return []column{
		{"SrcVlan", "UInt16", "", "src_vlan"},
		{"DstVlan", "UInt16", "", "dst_vlan"},
		{"SrcAddrNAT", "IPv6", "", "src_addr_nat"},
		{"DstAddrNAT", "IPv6", "", "dst_addr_nat"},
		{"SrcPortNAT", "UInt16", "", "src_port_nat"},
		{"DstPortNAT", "UInt16", "", "dst_port_nat"},
		{"SrcMAC", "UInt64", "", "src_mac"},
		{"DstMAC", "UInt64", "", "dst_mac"},
		{"IPTTL", "UInt8", "", "ip_ttl"},
		{"IPTos", "UInt8", "", "tos"},
		{"IPFragmentID", "UInt32", "", "fragment_id"},
		{"IPFragmentOffset", "UInt16", "", "fragment_offset"},
		{"IPv6FlowLabel", "UInt32", "", ""},
		{"TCPFlags", "UInt16", "", "tcp_flags"},
		{"ICMPv4Type", "UInt8", "", "if(protocol = 1, icmp_type, 0)"},
		{"ICMPv4Code", "UInt8", "", "if(protocol = 1, icmp_code, 0)"},
		{"ICMPv6Type", "UInt8", "", "if(protocol = 58, icmp_type, 0)"},
		{"ICMPv6Code", "UInt8", "", "if(protocol = 58, icmp_code, 0)"},
		{"NextHop", "LowCardinality(IPv6)", "ZSTD(1)", "next_hop"},
		{"MPLSLabels", "Array(UInt32)", "", "arrayFilter(l -> l != 0, [mpls_label_1, mpls_label_2, mpls_label_3])"},
		{"IngressVRFID", "UInt32", "", "in_vrf"},
		{"EgressVRFID", "UInt32", "", "out_vrf"},
	}
}

// text is the type of most of its texts.
const text = "LowCardinality(String)"

func capital(word string) string { return strings.ToUpper(word[:1]) + word[1:] }

// akvoradoEngine is how its main table is cut and sorted: by default 50 partitions in the
// 15 days that it keeps every flow.
const akvoradoEngine = `ENGINE = MergeTree
PARTITION BY toYYYYMMDDhhmmss(toStartOfInterval(TimeReceived, INTERVAL 25920 SECOND))
PRIMARY KEY toStartOfFiveMinutes(TimeReceived)
ORDER BY (toStartOfFiveMinutes(TimeReceived), ExporterAddress, InIfName, OutIfName)
SETTINGS allow_suspicious_low_cardinality_types = 1`
