package captures

import "fmt"

// Disagreement is a capture of which tapwatch makes something else than index.csv
// says, and why that is right, or what is missing.
type Disagreement struct {
	Reason string
	Got    Totals
}

// Disagreements are all captures that do not agree, by name. A capture that is
// not listed must agree; one that is listed must give exactly Got.
var Disagreements = map[string]Disagreement{
	"bitkeks-softflowd/v9_template_mixed.pcap": {
		Reason: "its data set, of 8 flows, comes before its template in the one datagram, and waits for it; tshark reads the same of the datagram with its template first",
		Got:    Totals{Flows: 8, Bytes: 164207, Packets: 208},
	},
	"logstash-codec-netflow/cases/extra-data-before-template-h3c.pcap": {
		Reason: "the 16 flows come twice, once before their template: those wait for it",
		Got:    Totals{Flows: 32, Bytes: 17459374, Packets: 12226},
	},
	"traffic-reproducer/pcap_processing/ipfix-bgp.pcap": {
		Reason: "6 data sets, of 9 flows, wait for their templates; tshark reads the same of the capture with them behind",
		Got:    Totals{Flows: 32, Bytes: 141790, Packets: 736},
	},
	"traffic-reproducer/pcap_processing/ipfix-bmp.pcap": {
		Reason: "11 data sets, of 14 flows, wait for their templates; tshark reads the same of the capture with them behind",
		Got:    Totals{Flows: 47, Bytes: 246656, Packets: 1360},
	},
	"traffic-reproducer/pcap_processing/ipfix-vmware.pcap": {
		Reason: "256 data sets, of 278 flows, wait for their templates; tshark reads the same of the capture with them behind",
		Got:    Totals{Flows: 1317, Bytes: 2049112350, Packets: 2178125},
	},
	"logstash-codec-netflow/cases/ipfix-yaf-basic-with-applabel.pcap": {
		Reason: "two biflows are two records each, one a direction; bytes and packets agree",
		Got:    Totals{Flows: 4, Bytes: 596, Packets: 10},
	},
	"cloudflare-goflow/utils_sflow_test.sflow.pcap": {
		Reason: "a fuzzed sample whose raw header is 6 bytes long, too short for a frame length: tshark reads 4 from the bytes behind it",
		Got:    Totals{Flows: 6, Bytes: 6542, Packets: 6},
	},
	"tcpdump/sflow_multiple_counter_30_pdus.pcap": {
		Reason: "five of its datagrams are NetFlow v5 sent to the port of sFlow: decoders that go by port take none of their seven records",
		Got:    Totals{Flows: 7, Bytes: 1953, Packets: 12},
	},
}

// Check compares what tapwatch made of the capture with the index, or with the
// disagreement listed for it.
func (c Capture) Check(got Totals) error {
	d, listed := Disagreements[c.Name]
	switch {
	case !listed && got != c.Expected:
		return fmt.Errorf("%s: got %s; index.csv expects %s, and captures.Disagreements does not list it", c.Name, got, c.Expected)
	case listed && got == c.Expected:
		return fmt.Errorf("%s: got %s, as index.csv expects: strike it from captures.Disagreements", c.Name, got)
	case listed && got != d.Got:
		return fmt.Errorf("%s: got %s; captures.Disagreements says %s, because %s", c.Name, got, d.Got, d.Reason)
	}
	return nil
}
