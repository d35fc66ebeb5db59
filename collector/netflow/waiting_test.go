package netflow_test

import (
	"testing"
	"time"

	"tapwatch/collector"
)

// waits are limits under which data waits for its template.
var waits = collector.Limits{
	TemplatesPerExporter: 4, TemplateFields: 16,
	TemplateWait: time.Minute, WaitingBytesPerExporter: 1000, TemplateLifetime: time.Hour,
}

// TestDataWaitsForItsTemplate: what came before its template comes out with it, as the
// message says that it came in.
func TestDataWaitsForItsTemplate(t *testing.T) {
	e := newExporterWith(waits)
	uptimes := []uint16{8, 4, 22, 4}
	first := v9(1, set(256, append([]byte{10, 0, 0, 1}, u32(uint32(time.Hour.Milliseconds()))...)...))
	e.send(first)
	e.send(v9(1, set(300, record...)))
	e.send(v9(2, set(256, record...)))
	if size := e.session.Size(); e.batch.Len() != 0 || size.WaitingSets != 3 || size.WaitingBytes == 0 {
		t.Fatalf("%d records, %+v", e.batch.Len(), size)
	}
	e.now = e.now.Add(30 * time.Second)
	e.send(v9(1, set(0, words(append([]uint16{256, 2}, uptimes...)...)...)))
	if e.batch.Len() != 1 || e.batch.StartAt[0] != exportedAt.UnixMilli() || e.batch.ObservationDomain[0] != 1 {
		t.Fatalf("%d records, start %v", e.batch.Len(), e.batch.StartAt)
	}
	if size := e.session.Size(); size.WaitingSets != 2 {
		t.Errorf("%d sets wait, want those of the other template and the other domain", size.WaitingSets)
	}
	e.session.Expire(e.now.Add(20*time.Second), &e.tally)
	if e.tally.ByReason() != nil {
		t.Errorf("dropped before their time: %v", e.tally.ByReason())
	}
	e.session.Expire(e.now.Add(40*time.Second), &e.tally)
	if size := e.session.Size(); e.tally.Dropped[collector.MissingTemplate] != 2 || size.WaitingSets != 0 || size.WaitingBytes != 0 {
		t.Errorf("dropped %v, %+v", e.tally.ByReason(), size)
	}
}

func TestWaitingLimits(t *testing.T) {
	for name, c := range map[string]struct {
		limits          collector.Limits
		perAll, refused int
	}{
		"of the exporter": {waits, 1 << 20, 3},
		"of all":          {waits, 500, 7},
		"nothing waits":   {collector.Limits{TemplatesPerExporter: 3, TemplateFields: 16}, 1 << 20, 0},
	} {
		e := newExporterWith(c.limits)
		e.waiting = c.perAll
		for range 10 {
			e.send(ipfix(0, set(256, record...)))
		}
		size := e.session.Size()
		if got := e.tally.Dropped[collector.WaitingLimit]; got != uint64(c.refused) {
			t.Errorf("%s: %d refused, want %d", name, got, c.refused)
		}
		if size.WaitingBytes > min(c.limits.WaitingBytesPerExporter, c.perAll) {
			t.Errorf("%s: %d bytes wait", name, size.WaitingBytes)
		}
		if name == "nothing waits" && e.tally.Dropped[collector.MissingTemplate] != 10 {
			t.Errorf("%s: dropped %v", name, e.tally.ByReason())
		}
		e.session.Expire(time.Time{}, &e.tally)
		if lost := e.tally.Dropped[collector.WaitingLimit] + e.tally.Dropped[collector.MissingTemplate]; lost != 10 {
			t.Errorf("%s: %d of 10 sets counted", name, lost)
		}
	}
}

func TestTemplatesExpire(t *testing.T) {
	e := newExporterWith(waits)
	e.send(ipfix(0, set(2, simple(256)...)))
	e.send(ipfix(9, set(2, simple(256)...)))
	e.now = e.now.Add(50 * time.Minute)
	e.send(ipfix(0, set(256, record...)))
	e.session.Expire(e.now.Add(20*time.Minute), &e.tally)
	if size := e.session.Size(); size.Templates != 1 || size.TemplateFields != 12+12 {
		t.Errorf("%+v, want the one template that was used, and its domain", size)
	}
	e.session.Expire(e.now.Add(2*time.Hour), &e.tally)
	if size := e.session.Size(); size != (collector.Size{}) {
		t.Errorf("%+v is left", size)
	}
}

// TestTemplatesOfConnectionsStay for as long as the connection.
func TestTemplatesOfConnectionsStay(t *testing.T) {
	e := newExporterWith(waits)
	e.connected = true
	e.send(ipfix(0, set(2, simple(256)...)))
	e.session.Expire(e.now.Add(100*time.Hour), &e.tally)
	if size := e.session.Size(); size.Templates != 1 {
		t.Errorf("%+v", size)
	}
}

// TestWithdrawal: templates are withdrawn over connections alone (RFC 7011 §8.1).
func TestWithdrawal(t *testing.T) {
	for name, c := range map[string]struct {
		set             []byte
		templates, drop int
		overUDP         bool
	}{
		"one":                   {set(2, words(256, 0)...), 2, 0, false},
		"all templates":         {set(2, words(2, 0)...), 1, 0, false},
		"all options templates": {set(3, words(3, 0)...), 2, 0, false},
		"one that is not there": {set(2, words(700, 0)...), 3, 0, false},
		"over UDP":              {set(2, words(256, 0)...), 3, 1, true},
	} {
		e := newExporter()
		e.connected = !c.overUDP
		e.send(ipfix(0, set(2, simple(256)...), set(2, simple(257)...), set(3, words(300, 2, 1, 149, 4, 34, 4)...)))
		e.send(ipfix(0, c.set))
		if got := e.session.Size().Templates; got != c.templates || e.tally.Dropped[collector.EmptyTemplate] != uint64(c.drop) {
			t.Errorf("%s: %d templates are left, want %d; dropped %v", name, got, c.templates, e.tally.ByReason())
		}
	}
}
