package sflow_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/netsampler/goflow2/v2/decoders/sflow"

	"tapwatch/flow"
)

// TestReference compares with goflow2's decoder: every sample of every capture that
// it reads.
func TestReference(t *testing.T) {
	samples := 0
	for _, path := range exports(t) {
		for i, payload := range payloads(t, path) {
			var p sflow.Packet
			if err := sflow.DecodeMessageVersion(bytes.NewBuffer(payload), &p); err != nil {
				continue // it gives up a datagram for one record
			}
			b, _ := decode(payload)
			var want []map[string]any
			for _, s := range p.Samples {
				if w := referenceColumns(s); w != nil {
					w["observation_domain"] = p.SubAgentId
					want = append(want, w)
				}
			}
			if b.Len() != len(want) {
				t.Errorf("%s: datagram %d: %d records, goflow2 has %d", path, i, b.Len(), len(want))
				continue
			}
			for row, w := range want {
				for column, value := range w {
					if diff := cmp.Diff(fmt.Sprint(value), fmt.Sprint(b.Row(row).Get(column))); diff != "" {
						t.Errorf("%s: datagram %d, record %d: %s (-goflow2 +got):\n%s", path, i, row, column, diff)
					}
				}
				samples++
			}
		}
	}
	if samples < 100 {
		t.Errorf("%d samples compared", samples)
	}
}

// referenceColumns are the columns of a flow sample as goflow2 reads it; nil of
// another sample. Packets are frame's to read.
func referenceColumns(sample any) map[string]any {
	want := make(map[string]any)
	index := func(format, value uint32) uint32 {
		if format != 0 || value == 0x3fffffff || value == 0xffffffff {
			return 0
		}
		return value
	}
	switch s := sample.(type) {
	case sflow.FlowSample:
		want["sampling_interval"] = s.SamplingRate
		want["in_if"], want["out_if"] = index(s.Input>>30, s.Input&0x3fffffff), index(s.Output>>30, s.Output&0x3fffffff)
	case sflow.ExpandedFlowSample:
		want["sampling_interval"] = s.SamplingRate
		want["in_if"], want["out_if"] = index(s.InputIfFormat, s.InputIfValue), index(s.OutputIfFormat, s.OutputIfValue)
	default:
		return nil
	}
	for _, r := range flowRecords(sample) {
		switch v := r.Data.(type) {
		case sflow.SampledHeader:
			want["bytes"] = v.FrameLength
		case sflow.ExtendedSwitch:
			if v.SrcVlan != 0 {
				want["src_vlan"] = v.SrcVlan
			}
			want["dst_vlan"] = v.DstVlan
		case sflow.ExtendedRouter:
			want["next_hop"], want["src_mask"], want["dst_mask"] = address(v.NextHop), v.SrcMaskLen, v.DstMaskLen
		case sflow.ExtendedGateway:
			want["src_as"] = v.SrcAS
			if n := len(v.ASPath); n > 0 && v.ASDestinations == 1 {
				want["dst_as"] = v.ASPath[n-1]
			}
		}
	}
	return want
}

func address(a []byte) any {
	var b [16]byte
	if len(a) == 4 {
		b = flow.From4([4]byte(a))
	} else {
		copy(b[:], a)
	}
	return flow.Addr(b)
}

// BenchmarkDecode reads the datagrams of each capture: ours into columns, with the
// packets' headers; goflow2's into structures, without.
func BenchmarkDecode(b *testing.B) {
	sets := map[string][][]byte{
		"pmacctd": payloads(b, "../../test/fixtures/pmacctd-sflow5.pcap"),
		"tunnels": payloads(b, tunnelsPcap),
		"router":  {routerDatagram()},
	}
	for _, name := range []string{"pmacctd", "tunnels", "router"} {
		all := sets[name]
		b.Run(name+"/tapwatch", func(b *testing.B) {
			const full = 1 << 13 // about what a worker hands on
			d := newDecoder()
			records := 0
			b.ReportAllocs()
			for b.Loop() {
				if d.batch.Len() >= full {
					d.batch.Reset()
				}
				before := d.batch.Len()
				d.decode(all...)
				records += d.batch.Len() - before
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(records), "ns/record")
		})
		b.Run(name+"/goflow2", func(b *testing.B) {
			records := 0
			b.ReportAllocs()
			for b.Loop() {
				for _, payload := range all {
					var p sflow.Packet
					if err := sflow.DecodeMessageVersion(bytes.NewBuffer(payload), &p); err != nil {
						b.Fatal(err)
					}
					records += len(p.Samples)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(records), "ns/record")
		})
	}
}

// TestNoAllocations: in steady state none, whatever the records and the packets.
func TestNoAllocations(t *testing.T) {
	sets := map[string][][]byte{"router": {routerDatagram()}, "every record": {datagram(everyRecord())}}
	for _, path := range exports(t) {
		sets[path] = payloads(t, path)
	}
	for name, all := range sets {
		d := newDecoder()
		if n := testing.AllocsPerRun(100, func() {
			d.batch.Reset()
			d.decode(all...)
		}); n != 0 {
			t.Errorf("%s: %g allocations", name, n)
		}
	}
}
