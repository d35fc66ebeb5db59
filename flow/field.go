package flow

// Field describes one column of a Batch and of the ClickHouse tables that hold
// flows.
type Field struct {
	// Name is the column's name in ClickHouse, in JSON and in documentation.
	Name string
	// Type is its ClickHouse type.
	Type string
	// Comment says what it holds, with unit and source.
	Comment string

	values func(*Batch) any
	value  func(*Batch, int) any
	memory
}

// Values returns the column of b as a slice ([]uint64, [][16]byte, …) that
// aliases the batch.
func (f *Field) Values(b *Batch) any { return f.values(b) }

// Value returns the value of b's record at index row.
func (f *Field) Value(b *Batch, row int) any { return f.value(b, row) }

// column makes the Field of the column that at points to.
func column[T comparable](name, typ string, at func(*Batch) *[]T, comment string) Field {
	return Field{
		Name:    name,
		Type:    typ,
		Comment: comment,
		values:  func(b *Batch) any { return *at(b) },
		value:   func(b *Batch, row int) any { return (*at(b))[row] },
		memory:  memoryOf(at),
	}
}

const (
	timeType    = "DateTime64(3, 'UTC')"
	addrType    = "IPv6"
	nameType    = "LowCardinality(String)"
	exportEnum  = "Enum8('unknown' = 0, 'netflow1' = 1, 'netflow5' = 5, 'netflow7' = 7, 'netflow9' = 9, 'ipfix' = 10, 'sflow5' = 105)"
	directEnum  = "Enum8('unknown' = 0, 'ingress' = 1, 'egress' = 2)"
	tunnelEnum  = "Enum8('none' = 0, 'gre' = 1, 'erspan1' = 2, 'erspan2' = 3, 'erspan3' = 4, 'vxlan' = 5, 'ipip' = 6, 'geneve' = 7, 'gtpu' = 8)"
	initiatEnum = "Enum8('unknown' = 0, 'src' = 1, 'dst' = 2)"
	assetEnum   = "Enum8('none' = 0, 'src' = 1, 'dst' = 2)"
)

// Fields is the field table: every column, in the order of the tables. It is not
// to be changed at run time.
var Fields = []Field{
	column("received_at", timeType, func(b *Batch) *[]int64 { return &b.ReceivedAt },
		"When the collector received the record (in a replay: the capture's stamp). Orders storage and detection windows."),
	column("start_at", timeType, func(b *Batch) *[]int64 { return &b.StartAt },
		"First packet of the flow by the exporter's clock; 1970 where the exporter does not say."),
	column("end_at", timeType, func(b *Batch) *[]int64 { return &b.EndAt },
		"Last packet of the flow by the exporter's clock; 1970 where the exporter does not say."),
	column("exporter", addrType, func(b *Batch) *[][16]byte { return &b.Exporter },
		"Address of the router that exported the record: the source of its datagrams."),
	column("observation_domain", "UInt32", func(b *Batch) *[]uint32 { return &b.ObservationDomain },
		"NetFlow v9 source id, IPFIX observation domain, sFlow sub-agent, NetFlow v5 engine type and id."),
	column("export_protocol", exportEnum, func(b *Batch) *[]int8 { return &b.ExportProtocol },
		"Protocol of the export."),
	column("sampling_interval", "UInt32", func(b *Batch) *[]uint32 { return &b.SamplingInterval },
		"One of how many packets was sampled: 1 = every packet, 0 = the exporter has not said."),
	column("src_addr", addrType, func(b *Batch) *[][16]byte { return &b.SrcAddr },
		"Source address, IPv4 mapped into IPv6."),
	column("dst_addr", addrType, func(b *Batch) *[][16]byte { return &b.DstAddr },
		"Destination address, IPv4 mapped into IPv6."),
	column("src_port", "UInt16", func(b *Batch) *[]uint16 { return &b.SrcPort },
		"Source port of TCP, UDP and SCTP."),
	column("dst_port", "UInt16", func(b *Batch) *[]uint16 { return &b.DstPort },
		"Destination port of TCP, UDP and SCTP."),
	column("protocol", "UInt8", func(b *Batch) *[]uint8 { return &b.Protocol },
		"IP protocol number (IANA): 6 TCP, 17 UDP, 47 GRE, 50 ESP."),
	column("ip_version", "UInt8", func(b *Batch) *[]uint8 { return &b.IPVersion },
		"4 or 6; 0 for a flow without IP addresses."),
	column("tcp_flags", "UInt16", func(b *Batch) *[]uint16 { return &b.TCPFlags },
		"All TCP flags seen, or-ed (IPFIX element 6): 1 FIN, 2 SYN, 4 RST, 8 PSH, 16 ACK."),
	column("tos", "UInt8", func(b *Batch) *[]uint8 { return &b.TOS },
		"IP type of service or IPv6 traffic class; its upper six bits are the DSCP."),
	column("icmp_type", "UInt8", func(b *Batch) *[]uint8 { return &b.ICMPType },
		"ICMP or ICMPv6 type."),
	column("icmp_code", "UInt8", func(b *Batch) *[]uint8 { return &b.ICMPCode },
		"ICMP or ICMPv6 code."),
	column("bytes", "UInt64", func(b *Batch) *[]uint64 { return &b.Bytes },
		"Bytes as exported, before multiplication by sampling_interval: of layer 3, for sFlow of the whole frame."),
	column("packets", "UInt64", func(b *Batch) *[]uint64 { return &b.Packets },
		"Packets as exported, before multiplication by sampling_interval."),
	column("direction", directEnum, func(b *Batch) *[]int8 { return &b.Direction },
		"Where the router observed the flow (IPFIX element 61)."),
	column("end_reason", "UInt8", func(b *Batch) *[]uint8 { return &b.EndReason },
		"Why the record was exported (IPFIX element 136): 1 idle timeout, 2 active timeout, 3 end of flow, 4 forced, 5 resources; 0 unknown."),
	column("forwarding_status", "UInt8", func(b *Batch) *[]uint8 { return &b.Forwarding },
		"Forwarding status and reason (IPFIX element 89): 64-127 forwarded, 128-191 dropped, 192-255 consumed; 0 unknown."),
	column("in_if", "UInt32", func(b *Batch) *[]uint32 { return &b.InIf },
		"SNMP index of the ingress interface; 0 unknown or the router itself."),
	column("out_if", "UInt32", func(b *Batch) *[]uint32 { return &b.OutIf },
		"SNMP index of the egress interface; 0 unknown, dropped, or the router itself."),
	column("src_vlan", "UInt16", func(b *Batch) *[]uint16 { return &b.SrcVLAN },
		"VLAN on the ingress side."),
	column("dst_vlan", "UInt16", func(b *Batch) *[]uint16 { return &b.DstVLAN },
		"VLAN on the egress side."),
	column("src_mac", "UInt64", func(b *Batch) *[]uint64 { return &b.SrcMAC },
		"Source MAC address as a number; 0 unknown."),
	column("dst_mac", "UInt64", func(b *Batch) *[]uint64 { return &b.DstMAC },
		"Destination MAC address as a number; 0 unknown."),
	column("next_hop", addrType, func(b *Batch) *[][16]byte { return &b.NextHop },
		"Address of the next router."),
	column("src_as", "UInt32", func(b *Batch) *[]uint32 { return &b.SrcAS },
		"Autonomous system of the source as the router exported it (origin or peer); 0 unknown."),
	column("dst_as", "UInt32", func(b *Batch) *[]uint32 { return &b.DstAS },
		"Autonomous system of the destination as the router exported it (origin or peer); 0 unknown."),
	column("src_mask", "UInt8", func(b *Batch) *[]uint8 { return &b.SrcMask },
		"Prefix length of the route to the source."),
	column("dst_mask", "UInt8", func(b *Batch) *[]uint8 { return &b.DstMask },
		"Prefix length of the route to the destination."),
	column("in_vrf", "UInt32", func(b *Batch) *[]uint32 { return &b.InVRF },
		"VRF of the ingress side by the router's own number (IPFIX element 234); 0 the global one, or unknown."),
	column("out_vrf", "UInt32", func(b *Batch) *[]uint32 { return &b.OutVRF },
		"VRF of the egress side by the router's own number (IPFIX element 235); 0 the global one, or unknown."),
	column("mpls_label_1", "UInt32", func(b *Batch) *[]uint32 { return &b.MPLSLabel1 },
		"Top label of the MPLS stack; 0 none, or the explicit null label."),
	column("mpls_label_2", "UInt32", func(b *Batch) *[]uint32 { return &b.MPLSLabel2 },
		"Second label of the MPLS stack; 0 none."),
	column("mpls_label_3", "UInt32", func(b *Batch) *[]uint32 { return &b.MPLSLabel3 },
		"Third label of the MPLS stack; 0 none."),
	column("ip_ttl", "UInt8", func(b *Batch) *[]uint8 { return &b.IPTTL },
		"Time to live or hop limit, the least of the flow (IPFIX elements 192, 52); 0 unknown."),
	column("fragment_id", "UInt32", func(b *Batch) *[]uint32 { return &b.FragmentID },
		"IP identification (IPFIX element 54); 0 unknown."),
	column("fragment_offset", "UInt16", func(b *Batch) *[]uint16 { return &b.FragmentOffset },
		"Fragment offset in units of 8 bytes (IPFIX element 88); 0 the first fragment, none, or unknown."),
	column("src_addr_nat", addrType, func(b *Batch) *[][16]byte { return &b.SrcAddrNAT },
		"Source address after translation (IPFIX elements 225, 281); :: none."),
	column("dst_addr_nat", addrType, func(b *Batch) *[][16]byte { return &b.DstAddrNAT },
		"Destination address after translation (IPFIX elements 226, 282); :: none."),
	column("src_port_nat", "UInt16", func(b *Batch) *[]uint16 { return &b.SrcPortNAT },
		"Source port after translation (IPFIX element 227); 0 none."),
	column("dst_port_nat", "UInt16", func(b *Batch) *[]uint16 { return &b.DstPortNAT },
		"Destination port after translation (IPFIX element 228); 0 none."),
	column("nat_event", "UInt8", func(b *Batch) *[]uint8 { return &b.NATEvent },
		"What the translator did (IPFIX element 230): 1 created, 2 deleted, 3 pool exhausted, 4 NAT44 session created, 5 deleted, 6 NAT64 session created, 7 deleted; 0 none."),
	column("firewall_event", "UInt8", func(b *Batch) *[]uint8 { return &b.FirewallEvent },
		"What the firewall did (IPFIX element 233, 40005 of older Cisco ASAs): 1 flow created, 2 deleted, 3 denied, 4 alert, 5 update; 0 none."),
	column("tunnel", tunnelEnum, func(b *Batch) *[]int8 { return &b.Tunnel },
		"What the sampled packet header shows to be carried in the flow; none also where the exporter shows no header: then protocol tells (47 GRE, 4 and 41 IP in IP)."),
	column("tunnel_id", "UInt32", func(b *Batch) *[]uint32 { return &b.TunnelID },
		"GRE key, ERSPAN session, VXLAN or GENEVE network identifier, GTP-U tunnel endpoint; 0 none."),
	column("inner_src_addr", addrType, func(b *Batch) *[][16]byte { return &b.InnerSrcAddr },
		"Source address of the packet inside the tunnel; :: none or not shown."),
	column("inner_dst_addr", addrType, func(b *Batch) *[][16]byte { return &b.InnerDstAddr },
		"Destination address of the packet inside the tunnel; :: none or not shown."),
	column("inner_src_port", "UInt16", func(b *Batch) *[]uint16 { return &b.InnerSrcPort },
		"Source port of the packet inside the tunnel."),
	column("inner_dst_port", "UInt16", func(b *Batch) *[]uint16 { return &b.InnerDstPort },
		"Destination port of the packet inside the tunnel."),
	column("inner_protocol", "UInt8", func(b *Batch) *[]uint8 { return &b.InnerProtocol },
		"IP protocol number of the packet inside the tunnel; 0 none or not shown."),
	column("src_country", nameType, func(b *Batch) *[]string { return &b.SrcCountry },
		"ISO 3166-1 alpha-2 country of the source by the geography database; empty unknown."),
	column("dst_country", nameType, func(b *Batch) *[]string { return &b.DstCountry },
		"ISO 3166-1 alpha-2 country of the destination by the geography database; empty unknown."),
	column("src_asn", "UInt32", func(b *Batch) *[]uint32 { return &b.SrcASN },
		"Autonomous system of the source by the geography database; 0 unknown."),
	column("dst_asn", "UInt32", func(b *Batch) *[]uint32 { return &b.DstASN },
		"Autonomous system of the destination by the geography database; 0 unknown."),
	column("src_as_org", nameType, func(b *Batch) *[]string { return &b.SrcASOrg },
		"Organisation of src_asn; empty unknown."),
	column("dst_as_org", nameType, func(b *Batch) *[]string { return &b.DstASOrg },
		"Organisation of dst_asn; empty unknown."),
	column("src_zone", nameType, func(b *Batch) *[]string { return &b.SrcZone },
		"Zone of the inventory that holds the source; empty outside all zones."),
	column("dst_zone", nameType, func(b *Batch) *[]string { return &b.DstZone },
		"Zone of the inventory that holds the destination; empty outside all zones."),
	column("src_zone_kind", nameType, func(b *Batch) *[]string { return &b.SrcZoneKind },
		"Kind of src_zone: lawful-intercept, core, management, infrastructure, …"),
	column("dst_zone_kind", nameType, func(b *Batch) *[]string { return &b.DstZoneKind },
		"Kind of dst_zone: lawful-intercept, core, management, infrastructure, …"),
	column("src_asset", nameType, func(b *Batch) *[]string { return &b.SrcAsset },
		"Asset of the inventory that owns the source address; empty none."),
	column("dst_asset", nameType, func(b *Batch) *[]string { return &b.DstAsset },
		"Asset of the inventory that owns the destination address; empty none."),
	column("src_role", nameType, func(b *Batch) *[]string { return &b.SrcRole },
		"Role of src_asset (admf, mdf2, mdf3, poi, hss, router, …)."),
	column("dst_role", nameType, func(b *Batch) *[]string { return &b.DstRole },
		"Role of dst_asset (admf, mdf2, mdf3, poi, hss, router, …)."),
	column("src_intel", nameType, func(b *Batch) *[]string { return &b.SrcIntel },
		"Intelligence list and indicator that the source matches, as list:prefix; empty none."),
	column("dst_intel", nameType, func(b *Batch) *[]string { return &b.DstIntel },
		"Intelligence list and indicator that the destination matches, as list:prefix; empty none."),
	column("initiator", initiatEnum, func(b *Batch) *[]int8 { return &b.Initiator },
		"Which end opened the conversation, as far as one record tells."),
	column("asset_end", assetEnum, func(b *Batch) *[]int8 { return &b.AssetEnd },
		"The end in a protected zone; of two that in a lawful-intercept zone, else the higher address."),
	column("watched", "Bool", func(b *Batch) *[]bool { return &b.Watched },
		"True when an end lies in a protected zone: the record is kept in watched_flows too."),
}
