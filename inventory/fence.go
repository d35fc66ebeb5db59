package inventory

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// Fence says with which countries and networks of the world the systems of some
// zones may talk.
type Fence struct {
	Name string
	// Zones and Kinds name the zones inside the fence, Kinds by their kind.
	Zones, Kinds []string
	// Direction is who opens what the fence is about, one of those below.
	Direction string
	// Deny goes before allow. Where there is anything to allow, one of the two lists
	// must name the outer end.
	AllowCountries, DenyCountries []string
	AllowASNs, DenyASNs           []uint32
	// DenyUnknown also holds back an end whose place is not known, where something is
	// allowed.
	DenyUnknown   bool
	Owner, Ticket string
}

// The directions of a fence: what is opened from inside, from outside, or either.
const (
	FenceOut = "out"
	FenceIn  = "in"
	FenceAny = "any"
)

// Crossing is a conversation between an end in a zone and one outside of all zones.
type Crossing struct {
	// Inside is the end in the zone of that name and kind.
	Inside     netip.Addr
	Zone, Kind string
	// Outside is the other one, Country and ASN where it is; empty and 0 not known.
	Outside netip.Addr
	Country string
	ASN     uint32
	// Opened is who opened it, FenceOut or FenceIn; empty where nobody knows, which
	// counts for every fence.
	Opened string
	// Protocol, Port and At are as in Conversation.
	Protocol uint8
	Port     uint16
	At       time.Time
}

// BrokenFence returns the first fence that the crossing breaks, and what it breaks in
// words: "RU is not among the countries it allows (US, CA)". A rule of allow that names
// the outer end, by anything but any, opens every fence for it.
func (v *Inventory) BrokenFence(c Crossing) (f Fence, reason string, broken bool) {
	for i := range v.Fences {
		f := &v.Fences[i]
		if !f.holds(c.Zone, c.Kind) || !f.about(c.Opened) {
			continue
		}
		if reason := f.refuses(c.Country, c.ASN); reason != "" {
			if _, open := v.gate(c); open {
				return Fence{}, "", false
			}
			return *f, reason, true
		}
	}
	return Fence{}, "", false
}

// holds tells whether the zone is inside the fence.
func (f *Fence) holds(zone, kind string) bool {
	return zone != "" && (slices.Contains(f.Zones, zone) || slices.Contains(f.Kinds, kind))
}

// about tells whether the fence is about what was opened so.
func (f *Fence) about(opened string) bool {
	return f.Direction == FenceAny || opened == "" || opened == f.Direction
}

// refuses says why the fence does not let the place pass; empty where it does.
func (f *Fence) refuses(country string, asn uint32) string {
	switch {
	case country != "" && slices.Contains(f.DenyCountries, country):
		return country + " is among the countries it denies"
	case asn != 0 && slices.Contains(f.DenyASNs, asn):
		return fmt.Sprintf("AS%d is among the networks it denies", asn)
	case len(f.AllowCountries)+len(f.AllowASNs) == 0:
		return ""
	case country != "" && slices.Contains(f.AllowCountries, country), asn != 0 && slices.Contains(f.AllowASNs, asn):
		return ""
	}
	unknown := country == "" && len(f.AllowCountries) > 0 || asn == 0 && len(f.AllowASNs) > 0
	switch {
	case unknown && !f.DenyUnknown:
		return ""
	case unknown:
		return "where it is, is not known, and it allows only " + f.allowedText()
	case len(f.AllowASNs) == 0:
		return country + " is not among the countries it allows: " + f.allowedText()
	case len(f.AllowCountries) == 0:
		return fmt.Sprintf("AS%d is not among the networks it allows: %s", asn, f.allowedText())
	default:
		return fmt.Sprintf("neither %s nor AS%d is among what it allows: %s", country, asn, f.allowedText())
	}
}

// allowedShown is how many places a text names.
const allowedShown = 8

func (f *Fence) allowedText() string {
	all := slices.Clone(f.AllowCountries)
	for _, asn := range f.AllowASNs {
		all = append(all, fmt.Sprintf("AS%d", asn))
	}
	if n := len(all) - allowedShown; n > 0 {
		all = append(all[:allowedShown], fmt.Sprintf("and %d more", n))
	}
	return strings.Join(all, ", ")
}

// gate gives the rule that allows the crossing and names its outer end.
func (v *Inventory) gate(c Crossing) (rule string, ok bool) {
	inside, outside := v.party(c.Inside), v.party(c.Outside)
	client, server := &inside, &outside
	if c.Opened == FenceIn {
		client, server = server, client
	}
	asked := Conversation{Protocol: c.Protocol, Port: c.Port, At: c.At}
	for i := range v.Allow {
		r := &v.Allow[i]
		if !names(r.From, &outside) && !names(r.To, &outside) {
			continue
		}
		if r.covers(&asked) && r.joins(client, server, c.Opened != "") {
			return r.Name, true
		}
	}
	return "", false
}

// AllowsAddress returns the first rule that allows the conversation and names one of its
// ends, outer, by its address alone, as an approval does: somebody decided about just this
// address.
func (v *Inventory) AllowsAddress(c Conversation, outer netip.Addr) (rule string, ok bool) {
	client, server := v.party(c.Client), v.party(c.Server)
	outer = plain(outer)
	alone := func(selectors []Selector) bool {
		return slices.ContainsFunc(selectors, func(s Selector) bool {
			return s.by == byPrefix && s.prefix.IsSingleIP() && s.prefix.Addr() == outer
		})
	}
	for i := range v.Allow {
		r := &v.Allow[i]
		if (alone(r.From) || alone(r.To)) && r.covers(&c) && r.joins(&client, &server, c.InitiatorKnown) {
			return r.Name, true
		}
	}
	return "", false
}
