package netflow

import (
	"iter"
	"maps"
	"slices"
)

// template is one of an exporter: its plan, and when it was needed last.
type template struct {
	*plan
	usedAt int64 // Unix milliseconds
}

// templateTable has the templates of a domain by their ids. Most exporters count from
// 256 on: those are found without a map, which is what tells when ten thousand
// exporters take turns and nothing of them is in the processor's caches.
type templateTable struct {
	low  []template // by id-firstTemplate; without a plan there is none
	high map[uint16]*template
	n    int
}

// lowTemplates is how many ids are low.
const lowTemplates = 32

// get gives a template, nil if there is none. It is good until the next put.
func (t *templateTable) get(id uint16) *template {
	if i := int(id) - firstTemplate; i >= 0 && i < len(t.low) {
		if t.low[i].plan == nil {
			return nil
		}
		return &t.low[i]
	}
	return t.high[id]
}

// put adds a template, which the table does not have.
func (t *templateTable) put(id uint16, made template) {
	t.n++
	i := int(id) - firstTemplate
	if i < 0 || i >= lowTemplates {
		if t.high == nil {
			t.high = make(map[uint16]*template)
		}
		t.high[id] = &made
		return
	}
	if i >= len(t.low) {
		t.low = append(t.low, make([]template, i+1-len(t.low))...)
	}
	t.low[i] = made
}

// drop removes a template, which the table has.
func (t *templateTable) drop(id uint16) {
	t.n--
	if i := int(id) - firstTemplate; i >= 0 && i < len(t.low) {
		t.low[i] = template{}
		return
	}
	delete(t.high, id)
}

// all gives the templates by ascending ids; they may be dropped meanwhile.
func (t *templateTable) all() iter.Seq2[uint16, *template] {
	return func(yield func(uint16, *template) bool) {
		for i := range t.low {
			if t.low[i].plan != nil && !yield(uint16(firstTemplate+i), &t.low[i]) {
				return
			}
		}
		for _, id := range slices.Sorted(maps.Keys(t.high)) {
			if !yield(id, t.high[id]) {
				return
			}
		}
	}
}
