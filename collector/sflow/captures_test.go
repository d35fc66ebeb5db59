package sflow_test

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"strings"
	"testing"

	"tapwatch/flow"
	"tapwatch/internal/captures"
)

// captureFields are tshark's fields of a sample that have a column as they are.
var captureFields = map[string]string{
	"sflow.flow_sample.sampling_rate":         "sampling_interval",
	"sflow.flow_sample.input_interface_value": "in_if",
	"sflow_245.header.frame_length":           "bytes",
	"sflow_245.vlan.out":                      "dst_vlan",
	"sflow_245.nexthop":                       "next_hop",
	"sflow_245.nexthop.src_mask":              "src_mask",
	"sflow_245.nexthop.dst_mask":              "dst_mask",
	"sflow_245.srcAS":                         "src_as",
	"ip.src":                                  "src_addr",
	"ip.dst":                                  "dst_addr",
	"tcp.srcport":                             "src_port",
	"tcp.dstport":                             "dst_port",
	"udp.srcport":                             "src_port",
	"udp.dstport":                             "dst_port",
}

// TestCaptureFields compares the records of the shared captures with tshark's, field
// by field.
func TestCaptureFields(t *testing.T) {
	compared := 0
	index := captures.Index(t)
	for _, c := range index {
		if _, listed := captures.Disagreements[c.Name]; listed || c.Fields == "" || !strings.Contains(c.Protocol, "sFlow") {
			continue
		}
		b, _ := decode(payloads(t, c.Path)...)
		samples := captureSamples(t, c.Fields)
		if len(samples) != b.Len() {
			t.Errorf("%s: %d records, tshark reads %d", c.Name, b.Len(), len(samples))
			continue
		}
		for i, s := range samples {
			for _, diff := range s.compare(b, i) {
				t.Errorf("%s: record %d: %s", c.Name, i, diff)
			}
			compared++
		}
	}
	if len(index) > 0 && compared < 20 {
		t.Errorf("%d records compared", compared)
	}
}

// captureSample is a flow sample as tshark prints it: a string or several by field,
// and the sampled packet.
type captureSample map[string]any

func captureSamples(t *testing.T, path string) (all []captureSample) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(z)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var line struct {
			Kind string
			F    captureSample
			Hdr  map[string]any
		}
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		if strings.HasPrefix(line.Kind, "flow_sample") {
			for name, value := range line.Hdr {
				line.F[name] = value
			}
			all = append(all, line.F)
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// first gives a field, the first of several.
func (s captureSample) first(name string) (string, bool) {
	switch v := s[name].(type) {
	case string:
		return v, true
	case []any:
		text, ok := v[0].(string)
		return text, ok
	}
	return "", false
}

func (s captureSample) compare(b *flow.Batch, row int) (diffs []string) {
	check := func(field, want, column string) {
		if got := fmt.Sprint(b.Row(row).Get(column)); got != want {
			diffs = append(diffs, fmt.Sprintf("%s is %s, tshark's %s %s", column, got, field, want))
		}
	}
	for field, column := range captureFields {
		if want, ok := s.first(field); ok {
			check(field, want, column)
		}
	}
	// The switch knows better than the header's tag.
	for _, field := range []string{"sflow_245.vlan.in", "vlan.id"} {
		if want, ok := s.first(field); ok && want != "0" {
			check(field, want, "src_vlan")
			break
		}
	}
	for field, column := range map[string]string{"eth.src": "src_mac", "eth.dst": "dst_mac", "sflow_245.ethernet.destination_mac_address": "dst_mac"} {
		if text, ok := s.first(field); ok {
			a, err := net.ParseMAC(text)
			if err != nil {
				diffs = append(diffs, err.Error())
				continue
			}
			n := uint64(0)
			for _, octet := range a {
				n = n<<8 | uint64(octet)
			}
			check(field, fmt.Sprint(n), column)
		}
	}
	if format, ok := s.first("sflow.flow_sample.output_interface_format"); ok && format == "0" {
		want, _ := s.first("sflow.flow_sample.output_interface_value")
		check("output interface", want, "out_if")
	}
	return diffs
}
