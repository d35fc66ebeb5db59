// Package inventory is the operator's policy: which address ranges are protected,
// what stands in them, and who may talk to whom. It is one YAML file, read
// strictly: every mistake is an error with file, line, column and a remedy.
//
// An *Inventory is immutable once read and safe for concurrent use. Live holds
// the one in force while the file is reloaded.
package inventory

import (
	"fmt"
	"iter"
	"net/netip"
	"os"

	"github.com/gaissmai/bart"

	"tapwatch/internal/config"
)

// Inventory is what an inventory file says. The zero Inventory knows no address
// and allows nothing. The exported members are for reading only.
type Inventory struct {
	// Zones, Allow, Exporters, Tunnels, Maintenance and Fences are in the order of
	// the file, Services by name.
	Zones       []Zone
	Services    []Service
	Allow       []Rule
	Exporters   []Exporter
	Tunnels     []Tunnel
	Maintenance []Maintenance
	Fences      []Fence

	entries   bart.Table[*Entry]
	services  map[string]*bart.Lite
	exporters map[netip.Addr]*Exporter
}

// Entry is what the inventory knows about an address.
type Entry struct {
	// Zone and Kind are the name and the kind of the innermost zone that holds
	// the address; empty outside all zones.
	Zone, Kind string
	// Protected says that what touches the zone is watched.
	Protected bool
	// Asset and Role are the name and the role of the asset that owns the address;
	// empty where none does.
	Asset, Role string
}

// Load reads the inventory file. The error joins every mistake in it, each a
// *config.Error.
func Load(file string) (*Inventory, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read inventory: %w", err)
	}
	return Parse(file, data)
}

// Parse is Load for data already read; name is the file's name in errors.
func Parse(name string, data []byte) (*Inventory, error) {
	var doc document
	if err := config.Decode(name, data, &doc); err != nil {
		return nil, err
	}
	return doc.inventory, nil
}

// Lookup returns what is known about addr; the zero Entry for an address outside
// all zones and for the zero Addr. An IPv4 address mapped into IPv6 counts as the
// IPv4 address. It does not allocate.
func (v *Inventory) Lookup(addr netip.Addr) Entry {
	if e, ok := v.entries.Lookup(plain(addr)); ok {
		return *e
	}
	return Entry{}
}

// Entries gives the prefixes of zones and assets in their canonical order, with what
// is known about the addresses whose longest prefix it is: Lookup for those who
// make a table of their own.
func (v *Inventory) Entries() iter.Seq2[netip.Prefix, Entry] {
	return func(yield func(netip.Prefix, Entry) bool) {
		for p, e := range v.entries.AllSorted() {
			if !yield(p, *e) {
				return
			}
		}
	}
}

// plain removes what does not tell addresses apart here: the mapping of IPv4 into
// IPv6, and the scope.
func plain(addr netip.Addr) netip.Addr { return addr.Unmap().WithZone("") }
