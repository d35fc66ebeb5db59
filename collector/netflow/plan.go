package netflow

import (
	"slices"

	"github.com/netsampler/goflow2/v2/decoders/netflow"
)

// reversePEN is the enterprise number under which RFC 5103 §6.1 keeps the reverse
// of every element.
const reversePEN = 29305

// plan says which fields of a template go where. It is made once, when the
// template comes.
type plan struct {
	forward []step
	// reverse fills the second record that a biflow gives.
	reverse []step
}

type step struct {
	field int
	write func(*record, []byte)
}

// compile makes the plan of a template whose fields are those.
func compile(fields []netflow.Field) plan {
	var forward, reverse []candidate
	for i, f := range fields {
		id := f.Type
		switch {
		case !f.PenProvided:
			if of, ok := mirrored[id]; ok {
				reverse = addCandidate(reverse, i, of)
				continue
			}
			forward = addCandidate(forward, i, id)
		case f.Pen == reversePEN:
			reverse = addCandidate(reverse, i, id)
		}
	}
	return plan{forward: steps(forward), reverse: steps(reverse)}
}

// candidate is a field of a template whose element the table knows.
type candidate struct {
	field int
	id    uint16
	element
}

// addCandidate adds a field. Of an element that a template repeats the first
// counts: it is about the outermost header (RFC 7011 §8).
func addCandidate(all []candidate, field int, id uint16) []candidate {
	e, ok := elements[id]
	if !ok || slices.ContainsFunc(all, func(c candidate) bool { return c.id == id }) {
		return all
	}
	return append(all, candidate{field, id, e})
}

// steps leaves out what a field of lower rank says better.
func steps(all []candidate) []step {
	best := make(map[string]int)
	for _, c := range all {
		if rank, ok := best[c.slot]; !ok || c.rank < rank {
			best[c.slot] = c.rank
		}
	}
	kept := make([]step, 0, len(all))
	for _, c := range all {
		if c.slot == "" || c.rank == best[c.slot] {
			kept = append(kept, step{c.field, c.write})
		}
	}
	return kept
}

// run applies steps to the fields of one data record.
func (r *record) run(steps []step, values []netflow.DataField) {
	for _, s := range steps {
		if v, ok := values[s.field].Value.([]byte); ok && len(v) > 0 {
			s.write(r, v)
		}
	}
}
