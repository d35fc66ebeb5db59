package inventory

import (
	"net/netip"
	"slices"
)

// Exporter is a router that sends flows.
type Exporter struct {
	Address netip.Addr
	// Name is unique; without one in the file it is the address.
	Name, Site string
	// Platform is the system it runs, one of the platforms below; empty: not known.
	Platform string
	// Sampling is one of how many packets the router samples: it holds for records of
	// which the router does not say so itself. 0: unknown.
	Sampling uint32
	// Interfaces are the SNMP indexes by role (core, peering, customer, …).
	Interfaces []InterfaceRole
	// Attached are the zones that hang on interfaces of the router whose role would not
	// let them be expected there.
	Attached []Attachment
}

// The platforms whose commands tapwatch knows.
const (
	IOSXE    = "ios-xe"
	IOSXR    = "ios-xr"
	Junos    = "junos"
	SROS     = "sr-os"
	RouterOS = "routeros"
)

// Platforms are all of them.
func Platforms() []string { return []string{IOSXE, IOSXR, Junos, SROS, RouterOS} }

// knownPlatform says whether the file may say so; nothing is fine.
func knownPlatform(name string) bool { return name == "" || slices.Contains(Platforms(), name) }

// InterfaceRole gives one role to a range of SNMP interface indexes, both ends
// included.
type InterfaceRole struct {
	Role        string
	First, Last uint32
}

// InterfaceRole is the role of the interface with that SNMP index; empty where
// the file gives none.
func (e Exporter) InterfaceRole(index uint32) string {
	for _, r := range e.Interfaces {
		if r.First <= index && index <= r.Last {
			return r.Role
		}
	}
	return ""
}

// Attachment says that a zone hangs on a range of interfaces, both ends included.
type Attachment struct {
	Zone        string
	First, Last uint32
}

// Attaches tells whether the zone hangs on the interface with that SNMP index, as far as
// the file says so.
func (e Exporter) Attaches(zone string, index uint32) bool {
	for _, a := range e.Attached {
		if a.Zone == zone && a.First <= index && index <= a.Last {
			return true
		}
	}
	return false
}

// Exporter returns the exporter with that address.
func (v *Inventory) Exporter(addr netip.Addr) (Exporter, bool) {
	if e, ok := v.exporters[plain(addr)]; ok {
		return *e, true
	}
	return Exporter{}, false
}

// Listed tells whether the inventory lists an exporter with that address.
func (v *Inventory) Listed(addr netip.Addr) bool {
	_, ok := v.exporters[plain(addr)]
	return ok
}

// SamplingInterval is one of how many packets the exporter samples, as the
// inventory says; 0 where it leaves that to the router.
func (v *Inventory) SamplingInterval(addr netip.Addr) uint32 {
	if e, ok := v.exporters[plain(addr)]; ok {
		return e.Sampling
	}
	return 0
}

// ExporterName is the name of the exporter with that address, or the address
// where the inventory does not list it.
func (v *Inventory) ExporterName(addr netip.Addr) string {
	if e, ok := v.exporters[plain(addr)]; ok {
		return e.Name
	}
	return plain(addr).String()
}
