package native

import (
	"reflect"
	"unsafe"

	"tapwatch/flow"
)

// place is where one column of a flow.Batch is and what it holds.
type place struct {
	name, typ string
	offset    uintptr // of the slice in the Batch
	size      int     // of an element, in bytes
	text      bool    // elements are strings
}

// slice is a slice as the runtime lays it out, whatever its elements.
type slice struct {
	data             unsafe.Pointer
	length, capacity int
}

// places are those of flow.Fields but for the times, in its order. flow.Field.Values would tell too, but
// allocates.
var places = func() []place {
	var b flow.Batch
	b.Grow(1)
	members := map[uintptr]reflect.StructField{} // by the memory of the column
	v := reflect.ValueOf(&b).Elem()
	for i := range v.NumField() {
		if v.Field(i).Kind() == reflect.Slice {
			members[v.Field(i).Pointer()] = v.Type().Field(i)
		}
	}
	var all []place
	for i := range flow.Fields {
		f := &flow.Fields[i]
		if f.Name == "start_at" || f.Name == "end_at" {
			continue // see times.go
		}
		member := members[reflect.ValueOf(f.Values(&b)).Pointer()]
		element := member.Type.Elem()
		all = append(all, place{f.Name, f.Type, member.Offset, int(element.Size()), element.Kind() == reflect.String})
	}
	return all
}()

// memory is the memory of the column in b, as bytes.
func (p *place) memory(b *flow.Batch) []byte {
	s := (*slice)(unsafe.Add(unsafe.Pointer(b), p.offset))
	return unsafe.Slice((*byte)(s.data), s.length*p.size)
}

// texts is a column of strings.
func (p *place) texts(b *flow.Batch) []string {
	return *(*[]string)(unsafe.Add(unsafe.Pointer(b), p.offset))
}

// zeros is what zero compares with.
var zeros [16 << 10]byte

// zero tells whether all bytes are zero.
func zero(p []byte) bool {
	for len(p) > len(zeros) {
		if string(p[:len(zeros)]) != string(zeros[:]) {
			return false
		}
		p = p[len(zeros):]
	}
	return string(p) == string(zeros[:len(p)])
}
