package intel

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	"tapwatch/flow"
)

// entry is an address or prefix as a list has it.
type entry struct {
	prefix             netip.Prefix
	description, actor string
	confidence         uint8
	from, until        time.Time
	// seen is when it was last seen at work; zero: not said.
	seen time.Time
}

// skip is why something of a list is not used: reason is one of few, what names it.
type skip struct{ reason, what string }

// The reasons for which something of a list is not used.
const (
	skipPattern  = "pattern"    // a pattern that is not about addresses alone
	skipType     = "type"       // a domain name, a file, …
	skipRevoked  = "revoked"    // its author took it back
	skipNotToIDS = "not_to_ids" // its author does not want it used for detection
	skipObject   = "object"     // not what it should be
)

// parsed is what a file holds.
type parsed struct {
	entries []entry
	skipped map[skip]int
}

func (p *parsed) skip(reason, what string) {
	if p.skipped == nil {
		p.skipped = map[skip]int{}
	}
	p.skipped[skip{reason, what}]++
}

// indicators makes one of each prefix, in the order in which they first come. What a
// file says twice of a prefix holds from the earliest date to the latest.
func (l *List) indicators(entries []entry) []flow.Indicator {
	var all []flow.Indicator
	at := map[netip.Prefix]int{}
	for _, e := range entries {
		one := l.indicator(e)
		i, seen := at[e.prefix]
		if !seen {
			at[e.prefix] = len(all)
			all = append(all, one)
			continue
		}
		merge(&all[i], &one)
	}
	return all
}

func (l *List) indicator(e entry) flow.Indicator {
	i := flow.Indicator{List: l.Name, Prefix: e.prefix, Description: e.description, Actor: e.actor,
		Confidence: e.confidence, ValidFrom: e.from, ValidUntil: e.until}
	if i.Confidence == 0 {
		i.Confidence = l.Confidence
	}
	last := e.seen
	if last.IsZero() {
		last = e.from
	}
	if i.ValidUntil.IsZero() && l.ExpireAfter > 0 && !last.IsZero() {
		i.ValidUntil = last.Add(l.ExpireAfter)
	}
	if !i.ValidFrom.IsZero() {
		i.ValidFrom = i.ValidFrom.Add(-l.Backdate)
	}
	return i
}

func merge(into, i *flow.Indicator) {
	into.Confidence = max(into.Confidence, i.Confidence)
	into.Description = joinTexts(into.Description, i.Description)
	into.Actor = joinTexts(into.Actor, i.Actor)
	if i.ValidFrom.IsZero() || !into.ValidFrom.IsZero() && i.ValidFrom.Before(into.ValidFrom) {
		into.ValidFrom = i.ValidFrom
	}
	if i.ValidUntil.IsZero() || !into.ValidUntil.IsZero() && i.ValidUntil.After(into.ValidUntil) {
		into.ValidUntil = i.ValidUntil
	}
}

// longestText bounds what is kept of descriptions, in bytes.
const longestText = 200

// joinTexts joins two texts, each of several parts, without repetition.
func joinTexts(a, b string) string {
	parts := strings.Split(a, "; ")
	for _, p := range strings.Split(b, "; ") {
		if p != "" && !slices.Contains(parts, p) && len(a)+len(p) < longestText {
			parts = append(parts, p)
			a = strings.TrimPrefix(strings.Join(parts, "; "), "; ")
		}
	}
	return a
}

// plainText makes a text one line of at most longestText bytes.
func plainText(text string) string {
	text = strings.Join(strings.Fields(strings.ToValidUTF8(text, "")), " ")
	if len(text) <= longestText {
		return text
	}
	return strings.ToValidUTF8(text[:longestText-3], "") + "…"
}
