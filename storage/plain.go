package storage

import (
	"math"
	"net"
	"net/netip"
	"reflect"
	"time"
)

// Plain gives a value that was read from ClickHouse as people and JSON have it: pointers
// unwrapped, IPv4 addresses as such though they are held mapped into IPv6, times in UTC
// without a zone as ClickHouse prints them, and nil for numbers that are none (NaN and
// the infinities), as in ClickHouse's own JSON.
func Plain(v any) any {
	r := reflect.ValueOf(v)
	for r.Kind() == reflect.Pointer {
		if r.IsNil() {
			return nil
		}
		r = r.Elem()
		v = r.Interface()
	}
	switch v := v.(type) {
	case net.IP:
		if a, ok := netip.AddrFromSlice(v); ok {
			return a.Unmap().String()
		}
	case netip.Addr:
		return v.Unmap().String()
	case time.Time:
		return plainTime(v)
	case float64:
		return plainFloat(v)
	case float32:
		return plainFloat(v)
	}
	if r.Kind() == reflect.Slice && plainElements(r.Type().Elem()) {
		return plainSlice(r)
	}
	if m, ok := v.(map[string]any); ok { // a tuple with names
		all := make(map[string]any, len(m))
		for name, member := range m {
			all[name] = Plain(member)
		}
		return all
	}
	return v
}

func plainTime(t time.Time) string {
	if t.Nanosecond() != 0 {
		return t.UTC().Format("2006-01-02 15:04:05.000")
	}
	return t.UTC().Format(time.DateTime)
}

func plainFloat[F float32 | float64](f F) any {
	if math.IsNaN(float64(f)) || math.IsInf(float64(f), 0) {
		return nil
	}
	return f
}

// plainElements tells whether a slice of that type has elements that Plain changes, or
// that JSON would show as base64.
func plainElements(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Uint8, reflect.Interface, reflect.Slice, reflect.Pointer, reflect.Float32, reflect.Float64, reflect.Map:
		return true
	}
	return t == reflect.TypeFor[time.Time]() || t == reflect.TypeFor[netip.Addr]()
}

func plainSlice(r reflect.Value) []any {
	all := make([]any, r.Len())
	for i := range all {
		if b, ok := r.Index(i).Interface().(uint8); ok {
			all[i] = uint(b)
			continue
		}
		all[i] = Plain(r.Index(i).Interface())
	}
	return all
}
