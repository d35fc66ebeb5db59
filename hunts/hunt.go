package hunts

import (
	"embed"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"
)

// Hunt is one saved question. It is not changed.
type Hunt struct {
	// Name is how people call it: its file's name without .sql.
	Name string
	// Title is what it asks, in a few words; Finds says what its rows are.
	Title, Finds string
	Techniques   []Technique
	Params       []Param
	// SQL is the query, with {name:Type} where parameters go.
	SQL string
}

// Technique is a technique of MITRE ATT&CK that leaves the traces the hunt looks for.
type Technique struct{ ID, Name string }

// Type is the type of a parameter, by which its value is checked before ClickHouse
// sees it.
type Type string

// The types of parameters, and what they are in ClickHouse.
const (
	String   Type = "String"   // any text: String
	Address  Type = "Address"  // an IP address: IPv6, IPv4 mapped
	Prefix   Type = "Prefix"   // an address prefix or an address: String, as 192.0.2.0/24
	Port     Type = "Port"     // 0 to 65535: UInt16
	Number   Type = "Number"   // not negative: UInt64
	Time     Type = "Time"     // a duration back from now (90m, 24h, 30d), or RFC 3339: DateTime64(3, 'UTC')
	Duration Type = "Duration" // 90s, 15m, 4h, 2d: UInt64, seconds
)

// Param is a parameter.
type Param struct {
	Name string
	Type Type
	// Default is the value where the user gives none; Required says that there is no
	// default.
	Default  string
	Required bool
	// Comment says what it means.
	Comment string
}

//go:embed *.sql
var files embed.FS

// load reads the embedded files once, when the first hunt is asked for. A file that
// is wrong is a fault of the program, which the tests find.
var load = sync.OnceValue(func() []Hunt {
	all, err := parseAll(files)
	if err != nil {
		panic("hunts: " + err.Error())
	}
	return all
})

// All gives every hunt, by name.
func All() []Hunt { return slices.Clone(load()) }

// Find gives the hunt of that name.
func Find(name string) (Hunt, bool) {
	for _, h := range load() {
		if h.Name == name {
			return h, true
		}
	}
	return Hunt{}, false
}

// parseAll reads every .sql file of a folder, in the order of their names.
func parseAll(folder fs.FS) ([]Hunt, error) {
	names, err := fs.Glob(folder, "*.sql")
	if err != nil {
		return nil, err
	}
	var all []Hunt
	for _, name := range names {
		text, err := fs.ReadFile(folder, name)
		if err != nil {
			return nil, err
		}
		h, err := parse(strings.TrimSuffix(name, ".sql"), string(text))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		all = append(all, h)
	}
	return all, nil
}
