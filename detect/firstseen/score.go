package firstseen

import (
	"math"
	"slices"
	"time"

	"tapwatch/detect/baseline"
	"tapwatch/flow"
)

// nearness is how far a contact is from what is known.
type nearness uint8

const (
	// stranger: the group is new to the whole zone for the service.
	stranger nearness = iota
	// visitor: it uses the service of other assets of the zone.
	visitor
	// regular: it uses the service of this asset, or all its like do.
	regular
)

// verdict is how unusual a contact is, and why.
type verdict struct {
	total      float64
	near       nearness
	management bool
	// hosts of the zone's assets have to do with the group, of so many.
	hosts, of int
	// gains is how many new groups the asset gains in a week for services of the kind.
	gains float64
	// days of watched ones on which the zone met a group as new as this one.
	days, watched int
	// newNetwork and newCountry say that the zone never had to do with the peer's.
	newNetwork, newCountry bool
}

// The steps of the score. Its modifiers are of the size that RITA gives its own, 0.15;
// what counts for most is how near the nearest relative stands. See README.md.
const (
	baseManagement = 0.5
	baseOther      = 0.3
	step           = 0.15

	// openTo is how many groups of one zone, openToAll how many networks outside must
	// use a service before a further one is nothing new.
	openTo, openToAll = 5, 20
	// settleIn is how much of its beginning a zone's history is left out, when it is
	// counted how often it meets somebody new: at first everybody is new.
	settleIn = 7 * 24 * time.Hour
)

// score tells how unusual the contact is in its zone.
func (d *Detector) score(c *contact, z *zone, at time.Time) verdict {
	s := service{c.Protocol, c.Port, c.AssetServes}
	g := c.group()
	v := verdict{management: d.management(s), hosts: len(z.reach[g]), of: max(len(z.assets), 1)}
	v.near = d.nearness(c, z, g, s, v.management)
	v.gains = z.gains(d, c.Asset, v.management, at)
	v.days, v.watched = z.surprises(d, v.management, v.near, s.serves, at)
	v.newNetwork = c.PeerZone == "" && len(z.reach[g]) == 0
	v.newCountry = v.newNetwork && c.Country != "" && !z.countries[c.Country]
	if v.newNetwork && !v.management && slices.Contains(d.cfg.Networks, c.ASN) {
		return verdict{}
	}
	v.total = baseOther
	if v.management {
		v.total = baseManagement
	}
	v.total += d.modifiers(c, &v)
	v.total = math.Round(v.total*1000) / 1000
	return v
}

func (d *Detector) modifiers(c *contact, v *verdict) (sum float64) {
	switch v.near {
	case stranger:
		sum += 2 * step
	case visitor:
		sum += step / 3
		if v.hosts >= 3 || 5*v.hosts >= v.of {
			sum -= step
		}
	default:
		sum -= 2 * step
	}
	if c.PeerZone != c.AssetZone {
		sum += step
	} else {
		sum -= step
	}
	prevalence := baseline.Rarity{Hosts: v.hosts, Of: v.of}
	switch {
	case prevalence.Rare(d.cfg.Rare):
		sum += 0.1
	case prevalence.Common(0.5):
		sum -= step
	}
	switch {
	case v.gains >= 7:
		sum -= step
	case v.gains < 0.25:
		sum += 0.1
	}
	switch share := float64(v.days) / float64(max(v.watched, 1)); {
	case share >= 0.5:
		sum -= 2 * step
	case share >= 1.0/7:
		sum -= step
	case v.days == 0:
		sum += 0.05
	}
	if v.newCountry {
		sum += 0.05
	}
	if c.AssetKind == flow.ZoneLawfulIntercept {
		sum += 0.1
	}
	return sum
}

// nearness compares the contact with its nearest relatives. A service for management
// is compared with itself; of others any service will do, for their ports often vary.
func (d *Detector) nearness(c *contact, z *zone, g group, s service, management bool) nearness {
	if _, has := z.services[link{c.Asset, g}][s]; has {
		return regular
	}
	from := openTo
	if c.PeerZone == "" {
		from = openToAll
	}
	if len(z.patrons[patronage{c.Asset, s, c.PeerZone}]) >= from {
		return regular
	}
	if management {
		if len(z.reachFor[g][s]) > 0 {
			return visitor
		}
		return stranger
	}
	if _, has := z.any[link{c.Asset, g}]; has {
		return regular
	}
	if len(z.reach[g]) > 0 {
		return visitor
	}
	return stranger
}

// gains is how many groups a week an asset has met for the first time, for services of
// the kind, since its zone had settled in.
func (z *zone) gains(d *Detector, asset string, management bool, at time.Time) float64 {
	since := z.begin.Add(settleIn)
	n := 0
	for l, services := range z.services {
		if l.asset != asset {
			continue
		}
		var first time.Time
		for s, t := range services {
			if d.management(s) == management && (first.IsZero() || t.Before(first)) {
				first = t
			}
		}
		if !first.IsZero() && !first.Before(since) {
			n++
		}
	}
	weeks := at.Sub(since).Hours() / (7 * 24)
	return float64(n) / max(weeks, 1)
}

// surprises counts the days, since the zone had settled in, on which something as new
// as this happened in it: a group that used the service of no asset before (stranger),
// or not of that one. That is how often this detector would have had a reason to
// speak; a zone in which it happens every other day is no place to be surprised.
func (z *zone) surprises(d *Detector, management bool, near nearness, serves bool, at time.Time) (days, watched int) {
	since := z.begin.Add(settleIn)
	seen := map[int64]bool{}
	note := func(first time.Time) {
		if !first.Before(since) {
			seen[first.Unix()/86400] = true
		}
	}
	kind := func(s service) bool { return d.management(s) == management && s.serves == serves }
	if near == stranger {
		for _, services := range z.firsts {
			noteFirsts(services, kind, management, note)
		}
	} else {
		for _, services := range z.services {
			noteFirsts(services, kind, management, note)
		}
	}
	return len(seen), max(1, int(at.Sub(since).Hours()/24))
}

// noteFirsts notes when a group first used services of a kind: each of those for
// management, the first of any other.
func noteFirsts(services map[service]time.Time, kind func(service) bool, each bool, note func(time.Time)) {
	var first time.Time
	for s, t := range services {
		switch {
		case !kind(s):
		case each:
			note(t)
		case first.IsZero() || t.Before(first):
			first = t
		}
	}
	if !first.IsZero() {
		note(first)
	}
}
