package flow_test

import (
	"encoding/json"
	"net/netip"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tapwatch/flow"
)

// TestFieldsCoverTheBatch holds that every column of Batch is in the field table,
// once, so that none is left out of the store.
func TestFieldsCoverTheBatch(t *testing.T) {
	b := new(flow.Batch)
	b.Grow(1)
	seen := map[uintptr]string{}
	names := map[string]bool{}
	for i := range flow.Fields {
		f := &flow.Fields[i]
		if names[f.Name] || f.Comment == "" || f.Type == "" {
			t.Errorf("field %q is there twice, or has no type or comment", f.Name)
		}
		names[f.Name] = true
		seen[reflect.ValueOf(f.Values(b)).Pointer()] = f.Name
	}
	v := reflect.ValueOf(b).Elem()
	columns := 0
	for i := range v.NumField() {
		if v.Field(i).Kind() != reflect.Slice {
			continue
		}
		columns++
		if seen[v.Field(i).Pointer()] == "" {
			t.Errorf("Batch.%s has no row in Fields", v.Type().Field(i).Name)
		}
	}
	if columns != len(flow.Fields) {
		t.Errorf("%d columns, %d fields", columns, len(flow.Fields))
	}
}

func TestGrowGivesZeroRecordsAlsoAfterReset(t *testing.T) {
	b := new(flow.Batch)
	first := b.Grow(2)
	b.Bytes[first], b.SrcZone[first+1], b.SrcAddr[first] = 7, "li", flow.From4([4]byte{192, 0, 2, 1})
	b.Reset()
	if at := b.Grow(2); at != 0 || b.Len() != 2 {
		t.Fatalf("grown at %d to %d records", at, b.Len())
	}
	for i := range flow.Fields {
		for row := range b.Len() {
			if v := flow.Fields[i].Value(b, row); !reflect.ValueOf(v).IsZero() {
				t.Errorf("%s of record %d is %v", flow.Fields[i].Name, row, v)
			}
		}
	}
}

func TestGrowDoesNotAllocateInSteadyState(t *testing.T) {
	b := new(flow.Batch)
	b.Grow(100)
	if n := testing.AllocsPerRun(10, func() { b.Reset(); b.Grow(100) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestAppendFromCopiesEveryColumn(t *testing.T) {
	src, dst := new(flow.Batch), new(flow.Batch)
	row := src.Grow(2) + 1
	src.Bytes[row], src.DstAsset[row], src.Watched[row], src.ReceivedAt[row] = 9, "mdf3-1", true, 1234
	dst.AppendFrom(src, row)
	if dst.Len() != 1 {
		t.Fatalf("%d records", dst.Len())
	}
	for i := range flow.Fields {
		if diff := cmp.Diff(flow.Fields[i].Value(src, row), flow.Fields[i].Value(dst, 0)); diff != "" {
			t.Errorf("%s: %s", flow.Fields[i].Name, diff)
		}
	}
}

func TestRow(t *testing.T) {
	b := new(flow.Batch)
	b.Grow(1)
	b.StartAt[0] = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC).UnixMilli()
	b.SrcAddr[0], b.Bytes[0], b.DstZone[0] = flow.From4([4]byte{192, 0, 2, 1}), 40, "li-east"
	r := b.Row(0)
	if want := "start_at=2026-01-02T03:04:05Z src_addr=192.0.2.1 bytes=40 dst_zone=li-east"; r.String() != want {
		t.Errorf("String() = %s, want %s", r, want)
	}
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"bytes":40,"dst_zone":"li-east","src_addr":"192.0.2.1","start_at":"2026-01-02T03:04:05Z"}`; string(text) != want {
		t.Errorf("JSON = %s, want %s", text, want)
	}
	if got := r.Get("src_addr"); got != netip.MustParseAddr("192.0.2.1") {
		t.Errorf("Get(src_addr) = %v", got)
	}
	if got := r.Get("no_such_column"); got != nil {
		t.Errorf("Get of no column = %v", got)
	}
}

func TestAddr(t *testing.T) {
	for _, text := range []string{"192.0.2.1", "2001:db8::1", "0.0.0.1"} {
		a := netip.MustParseAddr(text)
		if got := flow.Addr(flow.FromAddr(a)); got != a {
			t.Errorf("%s came back as %s", a, got)
		}
	}
	if got := flow.Addr(flow.FromAddr(netip.Addr{})); got.IsValid() {
		t.Errorf("the zero address came back as %s", got)
	}
}
