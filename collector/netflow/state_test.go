package netflow_test

import (
	"testing"
	"time"

	"tapwatch/collector"
)

// TestStateSurvives: what one session kept, another reads records by.
func TestStateSurvives(t *testing.T) {
	before := newExporterWith(waits)
	before.send(ipfix(1, set(2, simple(256)...)))
	before.send(ipfix(1, set(3, words(300, 2, 1, 302, 4, 34, 4)...), set(300, append(u32(7), u32(512)...)...)))
	before.send(v9(2, set(1, words(400, 4, 4, 2, 4, 34, 4)...), set(400, append(u32(3), u32(64)...)...)))
	before.send(v9(2, set(0, words(257, 2, 8, 4, 10, 4)...)))
	state, err := before.session.State()
	if err != nil {
		t.Fatal(err)
	}
	after := newExporterWith(waits)
	after.now = after.now.Add(30 * time.Minute)
	after.datagram = collector.Datagram{ReceivedAt: after.now, Tally: &after.tally, TemplateFields: 1000}
	if err := after.session.Restore(state, &after.datagram); err != nil {
		t.Fatal(err)
	}
	if got, want := after.session.Size(), before.session.Size(); got != want {
		t.Errorf("%+v restored of %+v", got, want)
	}
	if again, err := after.session.State(); err != nil || string(again) != string(state) {
		t.Errorf("kept again: %s, %v; before: %s", again, err, state)
	}
	after.send(ipfix(1, set(256, record...)))
	after.send(v9(2, set(257, append([]byte{10, 0, 0, 9}, u32(3)...)...)))
	if b := &after.batch; b.Len() != 2 || b.Bytes[0] != 256 || b.SamplingInterval[0] != 512 || b.SamplingInterval[1] != 64 {
		t.Errorf("%d records, bytes %v, sampled 1 of %v, dropped %v", b.Len(), b.Bytes, b.SamplingInterval, after.tally.ByReason())
	}
}

func TestStateOfNothing(t *testing.T) {
	if state, err := newExporter().session.State(); state != nil || err != nil {
		t.Errorf("%s, %v", state, err)
	}
}

func TestRestoreLeavesOutWhatIsOld(t *testing.T) {
	before := newExporterWith(waits)
	before.send(ipfix(1, set(2, simple(256)...)))
	state, err := before.session.State()
	if err != nil {
		t.Fatal(err)
	}
	after := newExporterWith(waits)
	after.datagram = collector.Datagram{ReceivedAt: before.now.Add(2 * time.Hour), Tally: &after.tally, TemplateFields: 1000}
	if err := after.session.Restore(state, &after.datagram); err != nil || after.session.Size().Templates != 0 {
		t.Errorf("%+v, %v", after.session.Size(), err)
	}
}

func TestRestoreWithinLimits(t *testing.T) {
	before := newExporter()
	before.send(ipfix(1, set(2, simple(256)...), set(2, simple(257)...)))
	state, err := before.session.State()
	if err != nil {
		t.Fatal(err)
	}
	after := newExporterWith(collector.Limits{TemplatesPerExporter: 1, TemplateFields: 16, TemplateLifetime: time.Hour})
	after.datagram = collector.Datagram{ReceivedAt: before.now, Tally: &after.tally, TemplateFields: 1000}
	if err := after.session.Restore(state, &after.datagram); err != nil {
		t.Fatal(err)
	}
	if after.session.Size().Templates != 1 || after.tally.Dropped[collector.TemplateLimit] != 1 {
		t.Errorf("%+v, dropped %v", after.session.Size(), after.tally.ByReason())
	}
}

func TestRestoreDamaged(t *testing.T) {
	for _, state := range []string{
		`{`, `[{"version":5}]`, `[{"version":10,"templates":[{"record":"AQ==","used_at":99999999999999}]}]`,
		`[{"version":9,"templates":[{"record":"AQAAAgAIAAQ=","used_at":99999999999999}]}]`,
		`[{"version":9,"templates":[{"record":"AQAAAA==","used_at":99999999999999}]}]`,
	} {
		e := newExporterWith(waits)
		e.datagram = collector.Datagram{ReceivedAt: e.now, Tally: &e.tally, TemplateFields: 1000}
		if err := e.session.Restore([]byte(state), &e.datagram); err == nil {
			t.Errorf("%s: no error", state)
		}
		e.send(ipfix(0, set(2, simple(256)...), set(256, record...)))
		if e.batch.Len() != 1 {
			t.Errorf("%s: of no use afterwards", state)
		}
	}
}

func FuzzRestore(f *testing.F) {
	before := newExporterWith(waits)
	before.send(ipfix(1, set(2, simple(256)...), set(3, words(300, 2, 1, 302, 4, 34, 4)...), set(300, append(u32(7), u32(512)...)...)))
	state, err := before.session.State()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(state)
	f.Fuzz(func(t *testing.T, state []byte) {
		e := newExporterWith(waits)
		e.datagram = collector.Datagram{ReceivedAt: e.now, Tally: &e.tally, TemplateFields: 1000}
		_ = e.session.Restore(state, &e.datagram)
		if size := e.session.Size(); size.TemplateFields > 1000 || size.Templates > 4 {
			t.Errorf("%+v", size)
		}
		e.send(ipfix(1, set(256, record...)))
	})
}
