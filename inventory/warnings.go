package inventory

import (
	"fmt"
	"time"
)

// Warnings tells what is valid but hardly meant at that time, a line each: no
// zone that is protected, rules that ended, rules that allow everything, fences around
// what is not watched.
func (v *Inventory) Warnings(at time.Time) []string {
	var lines []string
	protected := false
	for _, z := range v.Zones {
		protected = protected || z.Protected
	}
	if !protected {
		lines = append(lines, "no zone is protected, so nothing is watched: give a zone the kind lawful-intercept, core, management or infrastructure")
	}
	for i := range v.Allow {
		r := &v.Allow[i]
		if r.ended(at) {
			lines = append(lines, fmt.Sprintf("rule %s ended %s and allows nothing: renew or remove it", r.Name, r.lastDay()))
		}
		if hasAny(r.From) && hasAny(r.To) {
			lines = append(lines, fmt.Sprintf("rule %s is from any to any, which undoes default-deny: name one end", r.Name))
		}
	}
	for i := range v.Fences {
		f := &v.Fences[i]
		for _, z := range v.Zones {
			if f.holds(z.Name, z.Kind) && !z.Protected {
				lines = append(lines, fmt.Sprintf("fence %s stands around zone %s, which is not protected, so nothing of it is watched: protect the zone, or leave it out", f.Name, z.Name))
			}
		}
	}
	return lines
}

func hasAny(selectors []Selector) bool {
	for _, s := range selectors {
		if s.by == byAny {
			return true
		}
	}
	return false
}

// lastDay is the last day on which the rule holds.
func (r *Rule) lastDay() string { return r.Expires.AddDate(0, 0, -1).Format(time.DateOnly) }
