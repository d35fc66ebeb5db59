package netflow

import (
	"cmp"
	"slices"

	"github.com/netsampler/goflow2/v2/decoders/netflow"
)

// reversePEN is the enterprise number under which RFC 5103 §6.1 keeps the reverse
// of every element.
const reversePEN = 29305

// variable is the length of a field that carries its own (RFC 7011 §7).
const variable = 0xffff

// plan is a template made ready: which bytes of a record go where. It never changes,
// so all exporters that send the same template share one.
type plan struct {
	// raw is the template record as it came, by which the same one is known again.
	raw string
	// fields is how many it has.
	fields int
	// options says that its records describe the exporter, not flows.
	options bool
	// size is the least length of a record, at least 1; of fixed ones it is the length.
	size  int
	fixed bool
	// lengths are those of the fields one after the other, where they are needed to
	// find a field: unless the plan is fixed.
	lengths []uint16

	forward directions
	// reverse fills the second record that a biflow gives.
	reverse directions

	// What the records tell.
	tellsICMP    bool // type and code of ICMP apart from the ports
	tellsSampler bool
	// ofInterface says that the records of an options template are about an interface.
	ofInterface bool
	// allIPv4 says that the records have IPv4 addresses and no others.
	allIPv4 bool
}

// directions are what is to be done with the fields of a record.
type directions struct {
	// columns are for the fields that fill a column each.
	columns []step
	// notes are for the fields that say something together.
	notes []note
	// counts are the fields of columns that count bytes and packets.
	counts []place
}

// place is a field in a record: its offset in one of a fixed plan, its index else.
type place struct {
	offset int32
	index  uint16
	length uint16 // on the wire, or variable
}

type step struct {
	place
	column uint32 // of a plain kind: see plainColumn
	kind   plainKind
	fill   filler
}

type note struct {
	place
	take func(*record, []byte)
}

// compile makes the plan of a template with those fields. Of a NetFlow v9 options
// template the scopes have numbers of their own (RFC 3954 §6.1); they are given as
// elements.
func compile(raw string, scopes, fields []netflow.Field, options bool) *plan {
	p := &plan{raw: raw, fields: len(scopes) + len(fields), options: options, fixed: true}
	var forward, reverse []candidate
	for i, f := range append(slices.Clip(scopes), fields...) {
		if f.Length == 0 {
			continue // holds nothing, and would let a small datagram hold millions of records
		}
		at := place{int32(p.size), uint16(len(p.lengths)), f.Length}
		p.lengths = append(p.lengths, f.Length)
		if f.Length == variable {
			p.size++ // its length byte
			p.fixed = false
		} else {
			p.size += int(f.Length)
		}
		switch of, mirrors := mirrored[f.Type]; {
		case f.PenProvided && f.Pen == reversePEN && !namesSampler(f.Type):
			reverse = addCandidate(reverse, at, f.Type)
		case f.PenProvided:
		case mirrors:
			reverse = addCandidate(reverse, at, of)
		default:
			forward = addCandidate(forward, at, f.Type)
			p.ofInterface = p.ofInterface || i < len(scopes) && isInterface(f.Type)
		}
	}
	if p.fixed {
		p.lengths = nil
	}
	p.forward, p.reverse = arrange(forward), arrange(reverse)
	has := func(ids ...uint16) bool {
		return slices.ContainsFunc(forward, func(c candidate) bool { return slices.Contains(ids, c.id) })
	}
	p.tellsICMP = slices.ContainsFunc(forward, func(c candidate) bool { return tellsICMP[c.id] })
	p.tellsSampler = slices.ContainsFunc(forward, func(c candidate) bool { return namesSampler(c.id) })
	p.allIPv4 = has(8, 44) && has(12, 45) && !has(27, 170, 28, 169, 60, 313, 315)
	return p
}

// isInterface tells whether an element names an interface.
func isInterface(id uint16) bool { return id == 10 || id == 14 }

// namesSampler tells whether an element names a sampler. That of the way back is the
// record's.
func namesSampler(id uint16) bool { return id == 48 || id == 302 }

// candidate is a field of a template whose element the table knows.
type candidate struct {
	place
	id uint16
	element
}

// addCandidate adds a field. Of an element that a template repeats the first
// counts: it is about the outermost header (RFC 7011 §8).
func addCandidate(all []candidate, at place, id uint16) []candidate {
	e, ok := elements[id]
	if !ok || slices.ContainsFunc(all, func(c candidate) bool { return c.id == id }) {
		return all
	}
	return append(all, candidate{at, id, e})
}

// arrange leaves out what a field of lower rank says better, and puts the rest in
// order.
func arrange(all []candidate) directions {
	best := make(map[string]int)
	ownStart := false
	for _, c := range all {
		if rank, ok := best[c.slot]; !ok || c.rank < rank {
			best[c.slot] = c.rank
		}
		ownStart = ownStart || c.id == systemInit
	}
	slices.SortStableFunc(all, func(a, b candidate) int { return cmp.Compare(a.rank, b.rank) })
	var d directions
	for _, c := range all {
		switch {
		case c.slot != "" && c.rank != best[c.slot]:
		case c.note != nil && (ownStart || c.fill.any == nil):
			d.notes = append(d.notes, note{c.place, c.note})
		default:
			d.columns = append(d.columns, step{c.place, c.fill.plain.offset, c.fill.plain.kind(c.length), c.fill.of(c.length)})
			if c.slot == "bytes" || c.slot == "packets" {
				d.counts = append(d.counts, c.place)
			}
		}
	}
	// A copy takes no more memory than it needs; there may be many templates.
	d.columns, d.notes, d.counts = slices.Clone(d.columns), slices.Clone(d.notes), slices.Clone(d.counts)
	return d
}

// cost is what a plan counts for in memory, in fields of up to 40 bytes.
func (p *plan) cost() int { return planFields + p.fields }

// planFields is what a plan counts for besides its fields: its own memory, and that
// of what remembers it.
const planFields = 10
