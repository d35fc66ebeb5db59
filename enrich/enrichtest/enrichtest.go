// Package enrichtest holds the conformance suite that every enrichment passes.
package enrichtest

import (
	"fmt"
	"maps"
	"net/netip"
	"reflect"
	"slices"
	"sync"
	"testing"

	"tapwatch/enrich"
	"tapwatch/flow"
)

// Suite describes an enrichment to the conformance suite.
type Suite struct {
	// New returns a new enrichment that knows the Known records.
	New func(t testing.TB) enrich.Enricher
	// Reload reads the sources of an enrichment that New returned again; nil where
	// it has none.
	Reload func(enrich.Enricher) error
	// Columns are the names of the columns it owns.
	Columns []string
	// Known are records of which it fills every one of its columns, each column for
	// one of them at least.
	Known []Record
}

// Record is what the suite puts into a batch before the enrichment runs.
type Record struct {
	Src, Dst         netip.Addr
	SrcPort, DstPort uint16
	Protocol         uint8
	TCPFlags         uint16
	ICMPType         uint8
}

// Run runs the suite.
func Run(t *testing.T, s Suite) {
	t.Run("name", func(t *testing.T) { s.testName(t) })
	t.Run("own columns", func(t *testing.T) { s.testColumns(t) })
	t.Run("overwrites", func(t *testing.T) { s.testOverwrites(t) })
	t.Run("empty batch", func(t *testing.T) { s.New(t).Enrich(new(flow.Batch)) })
	t.Run("IPv4 in IPv6", func(t *testing.T) { s.testMapped(t) })
	t.Run("odd addresses", func(t *testing.T) { s.New(t).Enrich(Batch(odd()...)) })
	t.Run("no allocation", func(t *testing.T) { s.testAllocations(t) })
	t.Run("concurrent", func(t *testing.T) { s.testConcurrent(t) })
}

// Batch makes a batch of records.
func Batch(records ...Record) *flow.Batch {
	b := new(flow.Batch)
	b.Grow(len(records))
	for i, r := range records {
		b.SrcAddr[i], b.DstAddr[i] = flow.FromAddr(r.Src), flow.FromAddr(r.Dst)
		b.SrcPort[i], b.DstPort[i] = r.SrcPort, r.DstPort
		b.Protocol[i], b.TCPFlags[i], b.ICMPType[i] = r.Protocol, r.TCPFlags, r.ICMPType
	}
	return b
}

// odd are records of addresses that are none, or have no zone or country.
func odd() []Record {
	var records []Record
	for _, text := range []string{"", "0.0.0.0", "255.255.255.255", "127.0.0.1", "10.0.0.1", "224.0.0.1", "::", "::1", "fe80::1", "ff02::1", "2001:db8::1", "2002:a00:1::", "64:ff9b::1"} {
		var a netip.Addr
		if text != "" {
			a = netip.MustParseAddr(text)
		}
		for _, protocol := range []uint8{0, 1, 6, 17, 47, 58, 132, 255} {
			records = append(records, Record{Src: a, Dst: a, Protocol: protocol})
		}
	}
	return records
}

func (s *Suite) testName(t *testing.T) {
	if s.New(t).Name() == "" {
		t.Error("no name")
	}
}

func (s *Suite) testColumns(t *testing.T) {
	b := Batch(s.Known...)
	want := values(Batch(s.Known...))
	s.New(t).Enrich(b)
	got := values(b)
	filled := changed(want, got)
	for _, name := range filled {
		if !slices.Contains(s.Columns, name) {
			t.Errorf("column %s is not its own and was changed", name)
		}
	}
	for _, name := range s.Columns {
		if !slices.Contains(filled, name) {
			t.Errorf("column %s stayed empty for all known records", name)
		}
	}
}

// testOverwrites holds that nothing of an earlier record shines through: a batch
// whose own columns hold something comes out as one whose columns are empty.
func (s *Suite) testOverwrites(t *testing.T) {
	e := s.New(t)
	b := Batch(s.Known...)
	e.Enrich(b)
	for i := range s.Known { // the addresses go, the tags stay
		b.SrcAddr[i], b.DstAddr[i] = [16]byte{}, [16]byte{}
		b.SrcPort[i], b.DstPort[i], b.Protocol[i], b.TCPFlags[i], b.ICMPType[i] = 0, 0, 0, 0, 0
	}
	e.Enrich(b)
	empty := Batch(make([]Record, len(s.Known))...)
	if left := changed(values(empty), values(b)); len(left) > 0 {
		t.Errorf("columns %v keep what an earlier record had", left)
	}
}

// testMapped holds that an IPv4 address in the columns, which is mapped into IPv6
// there, is known as the IPv4 address.
func (s *Suite) testMapped(t *testing.T) {
	mapped := slices.Clone(s.Known)
	for i, r := range mapped {
		if r.Src.Is4() {
			mapped[i].Src = netip.AddrFrom16(r.Src.As16())
		}
		if r.Dst.Is4() {
			mapped[i].Dst = netip.AddrFrom16(r.Dst.As16())
		}
	}
	e := s.New(t)
	want, got := Batch(s.Known...), Batch(mapped...)
	e.Enrich(want)
	e.Enrich(got)
	if d := changed(values(want), values(got)); len(d) > 0 {
		t.Errorf("columns %v differ", d)
	}
}

func (s *Suite) testAllocations(t *testing.T) {
	e := s.New(t)
	b := Batch(append(odd(), s.Known...)...)
	if n := testing.AllocsPerRun(20, func() { e.Enrich(b) }); n != 0 {
		t.Errorf("%v allocations for %d records", n, b.Len())
	}
}

func (s *Suite) testConcurrent(t *testing.T) {
	e := s.New(t)
	want := Batch(s.Known...)
	e.Enrich(want)
	var workers sync.WaitGroup
	for range 2 {
		workers.Go(func() {
			for range 50 {
				b := Batch(s.Known...)
				e.Enrich(b)
				if d := changed(values(want), values(b)); len(d) > 0 {
					t.Errorf("columns %v differ", d)
					return
				}
			}
		})
	}
	if s.Reload != nil {
		for range 10 {
			if err := s.Reload(e); err != nil {
				t.Errorf("reload: %v", err)
			}
		}
	}
	workers.Wait()
}

// values copies all columns of a batch, by name.
func values(b *flow.Batch) map[string]any {
	columns := map[string]any{}
	for i := range flow.Fields {
		f := &flow.Fields[i]
		column := reflect.ValueOf(f.Values(b))
		columns[f.Name] = reflect.AppendSlice(reflect.MakeSlice(column.Type(), 0, column.Len()), column).Interface()
	}
	return columns
}

// changed names the columns that differ, in order.
func changed(a, b map[string]any) []string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(a)) {
		if !reflect.DeepEqual(a[name], b[name]) {
			names = append(names, name)
		}
	}
	return names
}

// String shows a record in the messages of a failing test.
func (r Record) String() string {
	return fmt.Sprintf("%v:%d > %v:%d protocol %d", r.Src, r.SrcPort, r.Dst, r.DstPort, r.Protocol)
}
