package native

import "strings"

// fixedSizes are the bytes that a value takes, by the type's name without arguments.
var fixedSizes = map[string]int{
	"Bool": 1, "UInt8": 1, "UInt16": 2, "UInt32": 4, "UInt64": 8, "UInt128": 16,
	"Int8": 1, "Int16": 2, "Int32": 4, "Int64": 8, "Int128": 16,
	"Float32": 4, "Float64": 8, "Enum8": 1, "Enum16": 2,
	"Date": 2, "Date32": 4, "DateTime": 4, "DateTime64": 8,
	"IPv4": 4, "IPv6": 16, "UUID": 16,
}

// fixedSize is how many bytes a value of the type takes; false where that varies or
// the type is not known.
func fixedSize(typ string) (int, bool) {
	name, _, _ := strings.Cut(typ, "(")
	n, ok := fixedSizes[name]
	return n, ok
}
