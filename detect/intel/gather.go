package intel

import (
	"cmp"
	"slices"

	"tapwatch/alert"
)

// subject is what the hits of one finding have in common. What is empty differs.
type subject struct {
	rule, list, zone, asset, indicator string
}

// group is the hits of one finding.
type group struct {
	subject
	hits []hit
}

// identity tells alerts apart.
func (s *subject) identity() string {
	if s.indicator != "" && s.asset != "" {
		return alert.Identity(Name, s.rule, s.zone, s.asset, s.indicator)
	}
	return alert.Identity(Name, s.rule, "many", s.list, s.zone, s.asset, s.indicator)
}

// top is the hit that stands for the group: the gravest, then with the most bytes.
func (g *group) top() *hit {
	best := &g.hits[0]
	for i := range g.hits {
		h := &g.hits[i]
		if cmp.Or(cmp.Compare(h.severity, best.severity), cmp.Compare(h.BytesIn+h.BytesOut, best.BytesIn+best.BytesOut)) > 0 {
			best = h
		}
	}
	return best
}

// mostOfList is how many times MaxEntries findings a list may yield in one window before
// the rest of them fold.
const mostOfList = 4

// gather puts the hits into groups, in the order in which they first come. One system
// that talks with many entries of a list is one group, and so are many systems that talk
// with one entry: a list may be wrong, or a system scan. What a list yields beyond is one
// more.
func (d *Detector) gather(hits []hit, today *day) []*group {
	entriesOf, assetsOf := map[subject]map[string]bool{}, map[subject]map[string]bool{}
	for i := range hits {
		h := &hits[i]
		note(entriesOf, byAsset(h), h.indicator)
		note(assetsOf, byEntry(h), h.Asset().Name())
	}
	var groups []*group
	at := map[subject]*group{}
	put := func(s subject, some ...hit) {
		g := at[s]
		if g == nil {
			g = &group{subject: s}
			at[s], groups = g, append(groups, g)
		}
		g.hits = append(g.hits, some...)
	}
	for _, h := range hits {
		entries := len(entriesOf[byAsset(&h)])
		if today != nil {
			entries = max(entries, today.entries[[2]string{h.Asset().Name(), listName(h.indicator)}])
		}
		switch {
		case entries > d.cfg.MaxEntries:
			put(byAsset(&h), h)
		case len(assetsOf[byEntry(&h)]) > d.cfg.MaxEntries:
			put(byEntry(&h), h)
		default:
			put(alone(&h), h)
		}
	}
	return d.bound(groups)
}

// bound folds what a list yields beyond a bound; the gravest stay.
func (d *Detector) bound(groups []*group) []*group {
	byList := map[subject][]*group{}
	for _, g := range groups {
		s := subject{rule: g.rule, list: g.list}
		byList[s] = append(byList[s], g)
	}
	rest := map[*group]*group{}
	for s, some := range byList {
		slices.SortStableFunc(some, func(a, b *group) int {
			x, y := a.top(), b.top()
			return cmp.Or(cmp.Compare(y.severity, x.severity), cmp.Compare(y.bytes, x.bytes), cmp.Compare(a.identity(), b.identity()))
		})
		folded := &group{subject: s}
		for i, g := range some {
			if i >= mostOfList*d.cfg.MaxEntries {
				rest[g] = folded
			}
		}
	}
	var all []*group
	seen := map[*group]bool{}
	for _, g := range groups {
		into := rest[g]
		switch {
		case into == nil:
			all = append(all, g)
			continue
		case !seen[into]:
			seen[into], all = true, append(all, into)
		}
		into.hits = append(into.hits, g.hits...)
	}
	return all
}

func note(sets map[subject]map[string]bool, s subject, what string) {
	if sets[s] == nil {
		sets[s] = map[string]bool{}
	}
	sets[s][what] = true
}

func alone(h *hit) subject {
	return subject{rule: h.rule, list: listName(h.indicator), zone: h.AssetZone, asset: h.Asset().Name(), indicator: h.indicator}
}

func byAsset(h *hit) subject {
	return subject{rule: h.rule, list: listName(h.indicator), zone: h.AssetZone, asset: h.Asset().Name()}
}

func byEntry(h *hit) subject {
	return subject{rule: h.rule, list: listName(h.indicator), indicator: h.indicator}
}
