package netflow

import "weak"

// plans finds the plan of a template that some exporter has sent already: the routers
// of one network send the same few, and what all share stays in the processor's
// caches. Plans that no exporter uses any more are let go.
type plans struct {
	known map[planKey]weak.Pointer[plan]
	// sweepAt is how many entries make it worth taking out those that were let go.
	sweepAt int
}

type planKey struct {
	version uint16
	options bool
	raw     string
}

// leastSweep is how few entries are never swept.
const leastSweep = 1024

// find gives the plan; nil if nobody uses it.
func (p *plans) find(k planKey) *plan { return p.known[k].Value() }

func (p *plans) add(k planKey, made *plan) {
	if p.known == nil {
		p.known = make(map[planKey]weak.Pointer[plan])
	}
	if len(p.known) >= max(leastSweep, p.sweepAt) {
		for k, v := range p.known {
			if v.Value() == nil {
				delete(p.known, k)
			}
		}
		p.sweepAt = 2 * len(p.known)
	}
	p.known[k] = weak.Make(made)
}
