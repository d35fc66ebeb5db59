package netflow_test

import (
	"bytes"
	"testing"

	goflow "github.com/netsampler/goflow2/v2/decoders/netflow"

	"tapwatch/collector"
	"tapwatch/collector/netflow"
)

// router20 is the template of a router: 20 fields.
var router20 = []uint16{8, 4, 12, 4, 7, 2, 11, 2, 4, 1, 5, 1, 6, 1, 1, 8, 2, 8, 22, 4, 21, 4, 10, 4, 14, 4, 15, 4, 16, 4, 17, 4, 9, 1, 13, 1, 61, 1, 89, 1}

// export makes a template and a datagram of so many records of it.
func export(version uint16, fields []uint16, records int) (template, data []byte) {
	size := 0
	for i := 1; i < len(fields); i += 2 {
		if fields[i] == 0xffff {
			size++ // the length, which is one of the bytes below: it has to be 0
			continue
		}
		size += int(fields[i])
	}
	body := make([]byte, records*size)
	for i := range body {
		body[i] = byte(i*7 + i>>8)
		if fields[1] == 0xffff && i%size == 0 {
			body[i] = 0
		}
	}
	message := v9
	templates := uint16(0)
	if version == 10 {
		message, templates = ipfix, 2
	}
	return message(1, set(templates, words(append([]uint16{256, uint16(len(fields) / 2)}, fields...)...)...)), message(1, set(256, body...))
}

func BenchmarkDecode(b *testing.B) {
	for _, c := range []struct {
		name    string
		version uint16
		records int
	}{{"v9 of 24", 9, 24}, {"ipfix of 4", 10, 4}} {
		template, data := export(c.version, router20, c.records)
		b.Run(c.name+"/tapwatch", func(b *testing.B) {
			e := newExporter()
			e.session = netflow.Protocol{}.Sessions(collector.Limits{TemplatesPerExporter: 3, TemplateFields: 30})()
			e.send(template)
			b.ReportAllocs()
			records := 0
			for b.Loop() {
				e.send(data)
				records += c.records
				if e.batch.Len() > 2000 {
					e.batch.Reset()
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(records), "ns/record")
		})
		b.Run(c.name+"/goflow2", func(b *testing.B) {
			templates := goflow.CreateTemplateSystem()
			decode := func(payload []byte) {
				var p9 goflow.NFv9Packet
				var p10 goflow.IPFIXPacket
				if err := goflow.DecodeMessageVersion(bytes.NewBuffer(payload), templates, &p9, &p10); err != nil {
					b.Fatal(err)
				}
			}
			decode(template)
			b.ReportAllocs()
			records := 0
			for b.Loop() {
				decode(data)
				records += c.records
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(records), "ns/record")
		})
	}
}
