package alert

import (
	"net/netip"
	"slices"
	"time"
)

// gathered is an incident in the making: the indexes of its episodes, sorted by first
// seen.
type gathered struct {
	episodes []int
	id       string
	absorbed []string
	// last is the latest evidence about each entity of it.
	last map[string]time.Time
}

func (g *gathered) members(sorted []Episode) []*Episode {
	slices.Sort(g.episodes)
	all := make([]*Episode, len(g.episodes))
	for i, at := range g.episodes {
		all[i] = &sorted[at]
	}
	return all
}

// group walks the episodes in the order in which they began, as they would be seen live.
// An episode joins the groups that have one of its entities and whose evidence about
// that ended at most the gap before. The groups come the oldest first.
func group(sorted []Episode, by Grouping) []*gathered {
	var all []*gathered
	holder := map[string]*gathered{} // of each entity: the group with the latest evidence
	for i := range sorted {
		e := &sorted[i]
		entities := e.Entities(by.Shared)
		var joined []*gathered
		for _, x := range entities {
			g := holder[x]
			if g != nil && e.FirstSeen.Sub(g.last[x]) <= by.Gap && !slices.Contains(joined, g) {
				joined = append(joined, g)
			}
		}
		slices.SortFunc(joined, func(a, b *gathered) int { return a.episodes[0] - b.episodes[0] })
		var g *gathered
		if len(joined) == 0 {
			g = &gathered{id: e.Identity(), last: map[string]time.Time{}}
			all = append(all, g)
		} else {
			g = joined[0]
			for _, other := range joined[1:] {
				g.absorb(other, holder)
			}
			all = slices.DeleteFunc(all, func(x *gathered) bool { return slices.Contains(joined[1:], x) })
		}
		g.episodes = append(g.episodes, i)
		for _, x := range entities {
			holder[x] = g
			if e.LastSeen.After(g.last[x]) || g.last[x].IsZero() {
				g.last[x] = e.LastSeen
			}
		}
	}
	for _, g := range all {
		slices.Sort(g.absorbed)
		g.absorbed = slices.Compact(g.absorbed)
	}
	return all
}

// absorb makes a younger group a part of g. The earliest episode of g stays the first of
// its list, for groups are compared by it.
func (g *gathered) absorb(other *gathered, holder map[string]*gathered) {
	g.episodes = append(g.episodes, other.episodes...)
	g.absorbed = append(append(g.absorbed, other.id), other.absorbed...)
	for x, at := range other.last {
		if at.After(g.last[x]) {
			g.last[x] = at
		}
		if holder[x] == other {
			holder[x] = g
		}
	}
}

// How the keys of Entities begin, before a name and an address.
const (
	EntityName = "name "
	EntityAddr = "addr "
)

// Entities are what the alert is about, as keys: its asset by name and by address, and
// its peer, unless that is shared. An exporter that an alert is about is its asset.
func (a *Alert) Entities(shared func(netip.Addr) bool) []string {
	var all []string
	add := func(p Party) {
		if p.Asset != "" {
			all = append(all, EntityName+p.Asset)
		}
		if p.Addr.IsValid() {
			all = append(all, EntityAddr+p.Addr.Unmap().String())
		}
	}
	add(a.Asset)
	if a.Peer.Addr.IsValid() && (shared == nil || !shared(a.Peer.Addr)) {
		add(a.Peer)
	}
	return all
}
