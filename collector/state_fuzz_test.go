package collector

import (
	"bytes"
	"testing"
	"time"

	"tapwatch/flow"
)

// FuzzRestoreState: whatever is in a state file, what is restored of it is within the
// limits, and is the same after it was written and read again.
func FuzzRestoreState(f *testing.F) {
	for _, seed := range []string{
		"",
		`{"tapwatch_collector_state":1}` + "\n" + `{"exporters":0}` + "\n",
		`{"tapwatch_collector_state":2}` + "\n",
		`{"tapwatch_collector_state":1,"collector":"a","written_at":"2026-03-02T09:00:00Z"}
{"exporter":"10.0.0.1","last_received_at":"2026-03-02T09:00:00Z","protocols":["ipfix"],"sessions":{"fake":{"templates":{"1":5},"sampling":0}}}
{"exporter":"::ffff:10.0.0.2","last_received_at":"2026-03-02T08:00:00Z","sessions":{"fake":{"templates":{"1":5,"2":9,"300":1},"sampling":7}}}
{"exporter":"fe80::1%eth0","last_received_at":"2036-03-02T08:00:00Z","sessions":{"fake":{"sampling":7}}}
{"exporter":"10.0.0.3","last_received_at":"2026-03-02T09:00:00Z","sessions":{"fake":null,"other":{}}}
{"exporter":"","last_received_at":"","sessions":[]}
{"exporters":5}
`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		const exporters, fields, templates = 2, 20, 3
		change := func(c *Config) {
			c.Workers = 1
			c.Limits.MaxExporters, c.Limits.MaxTemplateFieldsTotal, c.Limits.MaxTemplatesPerExporter = exporters, fields, templates
		}
		r := newRun(t, "", start, listOf{addr(1): 0}, change)
		all, _, err := readState(bytes.NewReader(content))
		if err != nil && len(all) > 0 {
			t.Errorf("%d exporters in spite of %v", len(all), err)
		}
		r.giveAll(all, start)
		d := r.workers[0].decoder
		unlisted := d.table.ordered[active].Len() + d.table.ordered[probation].Len()
		if unlisted > exporters || d.table.ordered[probation].Len() > 0 || d.table.held.TemplateFields > fields {
			t.Errorf("%d exporters, %d fields", unlisted, d.table.held.TemplateFields)
		}
		for a, e := range d.table.byAddr {
			if a != e.addr || a.Is4In6() || a.Zone() != "" || e.lastReceivedAt.After(start) || start.Sub(e.lastReceivedAt) > d.limits.TemplateLifetime {
				t.Errorf("%s, heard %s", a, e.lastReceivedAt)
			}
			if e.held.Templates > templates || (e.rank == active && e.held.Templates == 0 && len(e.samplingIntervals()) == 0) {
				t.Errorf("%s has %d templates", a, e.held.Templates)
			}
			var b flow.Batch
			d.Datagram(&b, port(a), start.Add(time.Second), []byte("fd\x01\x00"))
		}
		var first, second bytes.Buffer
		if _, lost, err := r.writeTo(&first); err != nil || lost.first != nil {
			t.Errorf("not written: %v %v", err, lost)
		}
		again := newRun(t, "", start, listOf{addr(1): 0}, change)
		all, damaged, err := readState(bytes.NewReader(first.Bytes()))
		left, bad := again.giveAll(all, start.Add(time.Second))
		if err != nil || damaged != (damage{}) || bad != (damage{}) || len(left) > 0 {
			t.Errorf("not understood: %v %v %v %v in\n%s", err, damaged, bad, left, &first)
		}
		if _, _, err := again.writeTo(&second); err != nil || !bytes.Equal(first.Bytes(), second.Bytes()) {
			t.Errorf("kept\n%s\nthen\n%s%v", &first, &second, err)
		}
	})
}
