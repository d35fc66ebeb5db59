package netflow_test

import (
	"testing"

	"tapwatch/collector"
)

// TestReplacementWithoutRoom: a template that changed and has no room is not kept as
// it was, for its records would be read wrongly.
func TestReplacementWithoutRoom(t *testing.T) {
	e := newExporter()
	e.send(ipfix(0, set(2, simple(256)...), set(256, record...)))
	if got := e.session.Size().TemplateFields; e.batch.Len() != 1 || got != 12+12 { // two fields, and the domain
		t.Fatalf("%d records, templates of %d fields", e.batch.Len(), got)
	}
	e.fields = 24
	e.send(ipfix(0, set(2, simple(256)...), set(256, record...)))
	if e.batch.Len() != 2 || e.tally.ByReason() != nil {
		t.Errorf("sent again: %d records, dropped %v", e.batch.Len(), e.tally.ByReason())
	}
	e.send(ipfix(0, set(2, words(256, 3, 8, 4, 1, 2, 2, 2)...), set(256, record...)))
	if e.batch.Len() != 2 || e.tally.Dropped[collector.TemplateLimit] != 1 || e.tally.Dropped[collector.MissingTemplate] != 1 {
		t.Errorf("replaced: %d records, dropped %v", e.batch.Len(), e.tally.ByReason())
	}
	if n, fields := e.session.Size().Templates, e.session.Size().TemplateFields; n != 0 || fields != 12 {
		t.Errorf("%d templates of %d fields are left", n, fields)
	}
}

// TestFieldsOfNoLengthCount: they take room while a template is read.
func TestFieldsOfNoLengthCount(t *testing.T) {
	e := newExporter()
	e.send(ipfix(0, set(2, words(256, 4, 8, 4, 1, 0, 2, 0, 4, 0)...)))
	if got := e.session.Size().TemplateFields; got != 14+12 {
		t.Errorf("counts for %d fields", got)
	}
}

// TestRestOfVariableLength: what follows the last whole record is counted unless it
// is short enough to be padding.
func TestRestOfVariableLength(t *testing.T) {
	template := set(2, words(256, 2, 82, 0xffff, 210, 2)...) // records of 3 bytes or more
	whole := []byte{1, 'x', 0, 0}
	for name, c := range map[string]struct {
		rest []byte
		want uint64
	}{
		"padding":             {[]byte{0, 0}, 0},
		"a field beyond":      {[]byte{200, 1, 2}, 1},
		"a long field beyond": {[]byte{255, 1, 0, 1, 2, 3}, 1},
		"a record cut short":  {[]byte{2, 'x', 'y', 0}, 1},
	} {
		e := newExporter()
		e.send(ipfix(0, template, set(256, append(whole, c.rest...)...)))
		if got := e.tally.Dropped[collector.MalformedRecord]; e.batch.Len() != 1 || got != c.want {
			t.Errorf("%s: %d records, dropped %v", name, e.batch.Len(), e.tally.ByReason())
		}
	}
}
