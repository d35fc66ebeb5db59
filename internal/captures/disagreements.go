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
	"bitkeks-softflowd/v1.pcap": {
		Reason: "NetFlow v1 is not supported yet: its datagrams are counted as unknown_version",
	},
	"streamsets/netflow-v1-file-1.pcap": {
		Reason: "NetFlow v1 is not supported yet: its datagrams are counted as unknown_version",
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
