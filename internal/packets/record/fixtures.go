package main

import (
	"context"
	"encoding/binary"

	"tapwatch/internal/packets"
)

// Traffic that the exporters read.
const (
	ordinary = "traffic.pcap"
	special  = "special.pcap"
)

// fixture is one export to record.
type fixture struct {
	name    string
	traffic string
	export  func(ctx context.Context, pcap string, to *recording) error
	report  func(ctx context.Context, r *recording) (packets.Report, error)
	// enough says of an exporter that does not end by itself whether it has sent all.
	enough func(datagrams [][]byte) bool
}

// folder is a folder of fixtures with one expected.json.
type folder struct {
	name     string
	fixtures []fixture
}

var folders = []folder{
	// The protocols, each in its everyday form.
	{"", []fixture{
		{name: "softflowd-netflow5", traffic: ordinary, export: softflowd(packets.NetFlow5), report: nfdump},
		{name: "softflowd-netflow9", traffic: ordinary, export: softflowd(packets.NetFlow9), report: nfdump},
		{name: "softflowd-ipfix", traffic: ordinary, export: softflowd(packets.IPFIX), report: nfdump},
		{name: "pmacctd-netflow9", traffic: ordinary, export: pmacctd("nfprobe", packets.NetFlow9), report: nfdump},
		{name: "pmacctd-ipfix", traffic: ordinary, export: pmacctd("nfprobe", packets.IPFIX), report: nfdump},
		{name: "pmacctd-sflow5", traffic: ordinary, export: pmacctd("sfprobe", ""), report: tshark},
	}},
	// Parts of the protocols that few exporters use.
	{"parts", []fixture{
		{name: "softflowd-netflow1", traffic: ordinary, export: softflowd(packets.NetFlow1), report: tsharkNetFlow},
		{name: "fprobe-netflow7", traffic: ordinary, export: fprobe(packets.NetFlow7), report: nfdump, enough: allNetFlow7},
		{name: "softflowd-netflow5-sampled", traffic: ordinary, export: softflowd(packets.NetFlow5, "-s", "10"), report: tsharkNetFlow},
		{name: "softflowd-netflow9-sampled", traffic: ordinary, export: softflowd(packets.NetFlow9, "-s", "10"), report: nfdump},
		{name: "softflowd-ipfix-sampled", traffic: ordinary, export: softflowd(packets.IPFIX, "-s", "10"), report: nfdump},
		{name: "softflowd-ipfix-biflow", traffic: ordinary, export: softflowd(packets.IPFIX, "-b"), report: tsharkNetFlow},
		{name: "softflowd-ipfix-seconds", traffic: ordinary, export: softflowd(packets.IPFIX, "-A", "sec"), report: nfdump},
		{name: "softflowd-ipfix-microseconds", traffic: ordinary, export: softflowd(packets.IPFIX, "-A", "micro"), report: nfdump},
		{name: "softflowd-ipfix-nanoseconds", traffic: ordinary, export: softflowd(packets.IPFIX, "-A", "nano"), report: nfdump},
		{name: "softflowd-ipfix-ether", traffic: special, export: softflowd(packets.IPFIX, "-T", "ether", "-x", "3"), report: nfdump},
		{name: "softflowd-psamp", traffic: special, export: softflowd(packets.PSAMP), report: tsharkPSAMP},
		{name: "ovs-ipfix", traffic: special, export: openVSwitch(packets.OVSIPFIX), report: tsharkOpenVSwitch, enough: allIPFIX},
		{name: "ovs-sflow5", traffic: special, export: openVSwitch(packets.OVSSFlow), report: tshark, enough: allSFlow},
	}},
}

func softflowd(version string, options ...string) func(context.Context, string, *recording) error {
	return func(ctx context.Context, pcap string, to *recording) error {
		return packets.SoftflowdOptions(ctx, pcap, version, options, to.addr)
	}
}

func pmacctd(plugin, version string) func(context.Context, string, *recording) error {
	return func(ctx context.Context, pcap string, to *recording) error {
		return packets.Pmacctd(ctx, pcap, plugin, version, to.addr)
	}
}

func fprobe(version string) func(context.Context, string, *recording) error {
	return func(ctx context.Context, pcap string, to *recording) error {
		return packets.Fprobe(ctx, pcap, version, to.addr, to.wait)
	}
}

func openVSwitch(export string) func(context.Context, string, *recording) error {
	return func(ctx context.Context, pcap string, to *recording) error {
		return packets.OpenVSwitch(ctx, pcap, export, to.addr, to.wait)
	}
}

// allNetFlow7 counts the flows of the ordinary traffic that fprobe shows: those of
// IPv4.
func allNetFlow7(datagrams [][]byte) bool {
	flows := 0
	for _, d := range datagrams {
		flows += int(binary.BigEndian.Uint16(d[2:]))
	}
	return flows >= 40
}

// allIPFIX counts the records of the special traffic that Open vSwitch exports, one
// a message: each of seven flows comes in once and leaves on two ports.
func allIPFIX(datagrams [][]byte) bool {
	records := 0
	for _, d := range datagrams {
		if set := binary.BigEndian.Uint16(d[16:]); set >= 256 && binary.BigEndian.Uint32(d[12:]) == 123 {
			records++
		}
	}
	return records >= 3*7
}

// allSFlow counts the samples of the special traffic: every packet.
func allSFlow(datagrams [][]byte) bool {
	samples := uint32(0)
	for _, d := range datagrams {
		samples += binary.BigEndian.Uint32(d[24:])
	}
	return samples >= 9
}
