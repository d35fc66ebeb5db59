package flow

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"strings"
	"time"
)

// Row is a view of one record for tests and display. It allocates; the hot path
// reads the columns.
type Row struct {
	batch *Batch
	index int
}

// Row returns the view of the record at index i.
func (b *Batch) Row(i int) Row { return Row{b, i} }

// Get returns the value of the column with the given ClickHouse name in its
// natural Go type (time.Time, netip.Addr, …), or nil where no such column exists.
func (r Row) Get(name string) any {
	for i := range Fields {
		if Fields[i].Name == name {
			return Fields[i].natural(r.batch, r.index)
		}
	}
	return nil
}

// MarshalJSON writes the columns that are not zero.
func (r Row) MarshalJSON() ([]byte, error) {
	values := make(map[string]any, len(Fields))
	for i := range Fields {
		if v := Fields[i].natural(r.batch, r.index); !isZero(v) {
			values[Fields[i].Name] = v
		}
	}
	return json.Marshal(values)
}

// String writes the columns that are not zero, in the order of the table.
func (r Row) String() string {
	var s strings.Builder
	for i := range Fields {
		if v := Fields[i].natural(r.batch, r.index); !isZero(v) {
			if t, ok := v.(time.Time); ok {
				v = t.Format(time.RFC3339Nano)
			}
			fmt.Fprintf(&s, "%s=%v ", Fields[i].Name, v)
		}
	}
	return strings.TrimSuffix(s.String(), " ")
}

// natural gives times as time.Time and addresses as netip.Addr.
func (f *Field) natural(b *Batch, row int) any {
	switch v := f.value(b, row).(type) {
	case int64:
		if v == 0 {
			return time.Time{}
		}
		return time.UnixMilli(v).UTC()
	case [16]byte:
		return Addr(v)
	default:
		return v
	}
}

func isZero(v any) bool {
	switch v := v.(type) {
	case time.Time:
		return v.IsZero()
	case netip.Addr:
		return !v.IsValid()
	case string:
		return v == ""
	case bool:
		return !v
	default:
		return fmt.Sprint(v) == "0"
	}
}
