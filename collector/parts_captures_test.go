package collector_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"tapwatch/collector"
	"tapwatch/flow"
	"tapwatch/internal/captures"
)

// exported is what captures of one exporter, one after the other, must give.
type exported struct {
	part     string
	captures []string
	// intervals are the sampling intervals that the exporter said.
	intervals []uint32
	// records are what must be in the records at those indices.
	records map[int]shown
	// flows are how many records there are, where the source agrees; 0 not checked.
	flows int
}

const (
	graylog = "graylog-plugin-netflow/"
	fluent  = "fluent-plugin-netflow/"
	yaf     = logstash + "ipfix-yaf-basic-with-applabel.pcap"
)

// What is expected is what tshark 4.0 prints of the capture (-V, -d
// udp.port==N,cflow or sflow), as in its fields/ beside the captures.
var exports = []exported{
	// Sampling.
	{part: "v5 header: interval (Juniper)", captures: []string{logstash + "netflow5-juniper-mx80.pcap"},
		records: map[int]shown{0: {"sampling_interval": "1000"}, 28: {"sampling_interval": "1000"}}},
	{part: "v5 header: mode and interval, 0x4064", captures: []string{graylog + "netflow5.pcap"},
		records: map[int]shown{0: {"sampling_interval": "100"}}},
	{part: "v9 options data of an interface: 34, 35", captures: []string{graylog + "netflow9.pcap"},
		intervals: []uint32{100}, records: map[int]shown{0: {"sampling_interval": "100"}, 20: {"sampling_interval": "100"}}},
	{part: "v9 options data of the system: 34, 35 (FortiGate)", captures: []string{logstash + "netflow-9-fortigate-fortios-5-2-1.pcap"},
		intervals: []uint32{1}, records: map[int]shown{0: {"sampling_interval": "1"}}},
	{part: "v9 sampler table: 48, 49, 50 (Cisco)", captures: []string{fluent + "netflow.v9.sampler.pcap", fluent + "netflow.v9.pcap"},
		intervals: []uint32{5000}, records: map[int]shown{0: {"sampling_interval": "5000"}}},
	// selectorAlgorithm 3 is n of N: 1 of 256. Its samplingPacketInterval 1 is not of
	// this algorithm (RFC 5477 §8.2.3).
	{part: "IPFIX selector report: 302, 304, 309, 310 (Cisco)", captures: []string{pmacct + "104-IPFIXv10-IPv6-CISCO-sampling_option/traffic-00.pcap"},
		intervals: []uint32{256}, records: map[int]shown{0: {"sampling_interval": "256"}, 2: {"sampling_interval": "256"}}},

	// sFlow.
	{part: "flow sample, sampled header, extended switch", captures: []string{"preetam-sflow/flow_sample.dump.pcap"},
		flows: 1, records: map[int]shown{0: {
			"export_protocol": "105", "sampling_interval": "4096", "in_if": "4", "out_if": "1", "src_vlan": "16", "dst_vlan": "16", "bytes": "318",
			"src_addr": "199.58.161.150", "dst_addr": "197.161.57.246", "src_port": "51413", "dst_port": "9728", "protocol": "17",
		}}},
	{part: "sampled header of IPv4 without Ethernet", captures: []string{"logstash-codec-sflow/sflow_flow_sample.dat.pcap"},
		flows: 1, records: map[int]shown{0: {
			"sampling_interval": "2048", "out_if": "944", "dst_vlan": "1852", "bytes": "490",
			"src_addr": "10.243.27.17", "dst_addr": "10.243.0.45", "src_port": "5672", "dst_port": "59451", "protocol": "6",
		}}},
	{part: "expanded flow sample, extended router, extended gateway", captures: []string{"tcpdump/sflow_expanded.pcap"},
		flows: 1, records: map[int]shown{0: {
			"sampling_interval": "1000", "in_if": "29001", "bytes": "126", "src_addr": "52.52.52.52", "dst_addr": "53.53.53.53",
			"src_port": "22", "dst_port": "52237", "protocol": "6", "next_hop": "54.54.54.54", "src_mask": "32", "dst_mask": "22",
			"src_as": "203476", "dst_as": "203361",
		}}},
	{part: "expanded flow sample, extended switch", captures: []string{"cloudflare-goflow/sflow_sflow_test.sflow.pcap"},
		flows: 6, records: map[int]shown{1: {"sampling_interval": "16383", "in_if": "1000100", "out_if": "1000018", "src_vlan": "30", "dst_vlan": "30"}}},

	// IPFIX. YAF's biflows hold RFC 6313 lists (293 and one of its own), which are
	// skipped: the fields behind them are right.
	{part: "biflow and subTemplateMultiList (YAF)", captures: []string{yaf}, flows: 4, records: map[int]shown{
		0: {"src_addr": "172.16.32.201", "dst_addr": "172.16.32.100", "src_port": "46086", "dst_port": "53", "bytes": "132", "packets": "2", "end_reason": "1"},
		1: {"src_addr": "172.16.32.100", "dst_addr": "172.16.32.201", "src_port": "53", "dst_port": "46086", "bytes": "200", "packets": "2"},
		2: {"src_addr": "172.16.32.100", "dst_addr": "172.16.32.215", "dst_port": "9997", "bytes": "172", "packets": "4", "tos": "2", "end_reason": "3"},
		3: {"src_addr": "172.16.32.215", "dst_addr": "172.16.32.100", "src_port": "9997", "bytes": "92", "packets": "2", "tos": "0"},
	}},
	{part: "enterprise fields (VMware)", captures: []string{logstash + "ipfix-vmware-virtual-distributed-switch.pcap"}, flows: 5,
		records: map[int]shown{0: {"src_addr": "172.18.65.21", "dst_port": "5985", "in_if": "3", "out_if": "11", "direction": "2", "end_reason": "1"}}},

	// One template id, two exporters, two meanings.
	{part: "templates of two exporters", captures: []string{"derived/same-template-id-two-exporters.pcap"}, flows: 34, records: map[int]shown{
		7:  {"exporter": "198.51.100.10", "src_addr": "10.98.243.20", "src_port": "53", "dst_addr": "10.99.168.140", "dst_port": "50294", "bytes": "113"},
		8:  {"exporter": "198.51.100.11", "src_addr": "192.168.0.17", "src_port": "64020", "dst_addr": "192.168.0.1", "dst_port": "80", "bytes": "373"},
		33: {"exporter": "198.51.100.11", "src_addr": "192.168.0.1", "src_port": "80", "dst_port": "64026", "bytes": "6425", "packets": "8"},
	}},

	// Data before its template waits for it, which neither tshark nor nfdump does: see
	// captures.Disagreements.
	{part: "data before its template, in one datagram", captures: []string{"bitkeks-softflowd/v9_template_mixed.pcap"}, flows: 8},
	{part: "data before its template, NetFlow v9", captures: []string{logstash + "extra-data-before-template-h3c.pcap"}, flows: 32},
	{part: "data before its template, IPFIX", captures: []string{"traffic-reproducer/pcap_processing/ipfix-bgp.pcap"}, flows: 32},
}

// TestPartsOfExports checks what whole exports show.
func TestPartsOfExports(t *testing.T) {
	paths := make(map[string]string)
	for _, c := range captures.Index(t) {
		paths[c.Name] = c.Path
	}
	if len(paths) == 0 {
		return
	}
	for _, e := range exports {
		t.Run(e.part, func(t *testing.T) {
			d := collector.NewDecoder(collector.DefaultConfig(), protocols, nil)
			b := new(flow.Batch)
			for _, name := range e.captures {
				if paths[name] == "" {
					t.Fatalf("%s is not in index.csv", name)
				}
				for _, g := range datagrams(t, paths[name]) {
					d.Datagram(b, g.From, g.Time, g.Payload)
				}
			}
			e.check(t, d, b)
		})
	}
}

func (e *exported) check(t *testing.T, d *collector.Decoder, b *flow.Batch) {
	if e.flows > 0 && b.Len() != e.flows {
		t.Errorf("%d flows, want %d", b.Len(), e.flows)
	}
	for i, want := range e.records {
		if i >= b.Len() {
			t.Fatalf("%d records", b.Len())
		}
		if diff := want.difference(b, i); diff != "" {
			t.Errorf("record %d: %s", i, diff)
		}
	}
	if e.intervals == nil {
		return
	}
	var said []uint32
	for _, h := range d.Health(time.Unix(0, 0)) {
		said = append(said, h.SamplingIntervals...)
	}
	if !slices.Equal(said, e.intervals) {
		t.Errorf("the exporter said %s, want %s", fmt.Sprint(said), fmt.Sprint(e.intervals))
	}
}
