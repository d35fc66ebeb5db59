package collector_test

import (
	"net/netip"
	"time"

	"tapwatch/collector"
	"tapwatch/flow"
	"tapwatch/internal/goflowref"
)

// comparison holds our decoder against goflow2's over the datagrams of one run, a
// capture or a variant of one.
type comparison struct {
	name      string
	ours      *collector.Decoder
	reference map[netip.Addr]*goflowref.Exporter
	counts    *scores
	failed    func(format string, args ...any)
	datagram  int
	// broken is set by the first failure: what follows it is mostly the same.
	broken bool

	// What did not find its like at once may do so later: data that waits for its
	// template comes out when that is, by each decoder's own rules.
	late    []wanted
	surplus []obtained
}

// wanted is a record of the reference as our decoder should make it; obtained is one
// that it made.
type wanted struct {
	*goflowref.Record
	datagram int
	payload  []byte
}

type obtained struct {
	goflowref.Values
	datagram int
	payload  []byte
}

// scores are of all runs.
type scores struct {
	compared int
	reasons  map[string]int
}

func (c *scores) add(o *scores) {
	c.compared += o.compared
	for name, n := range o.reasons {
		c.reasons[name] += n
	}
}

func newScores() *scores { return &scores{reasons: make(map[string]int)} }

func newComparison(name string, c *scores, failed func(format string, args ...any)) *comparison {
	return &comparison{
		name:      name,
		ours:      collector.NewDecoder(collector.DefaultConfig(), protocols, nil),
		reference: make(map[netip.Addr]*goflowref.Exporter),
		counts:    c,
		failed:    failed,
	}
}

// fail reports the first failure of a run.
func (c *comparison) fail(format string, args ...any) {
	if !c.broken {
		c.failed("%s: "+format, append([]any{c.name}, args...)...)
	}
	c.broken = true
}

// next decodes a datagram by both and compares.
func (c *comparison) next(from netip.AddrPort, at time.Time, payload []byte) {
	c.datagram++
	e := c.reference[from.Addr()]
	if e == nil {
		e = goflowref.NewExporter(collector.DefaultConfig().Limits.MaxTemplateFields)
		c.reference[from.Addr()] = e
	}
	var b flow.Batch
	c.ours.Datagram(&b, from, at, payload)
	got := make([]obtained, b.Len())
	for i := range got {
		got[i] = obtained{rowValues(&b, i), c.datagram, payload}
	}
	records, spoken := e.Datagram(payload)
	if !spoken {
		c.counts.reasons[notSpoken] += len(got)
		return
	}
	var want []wanted
	for i := range records {
		for _, r := range settle(&records[i], c.counts) {
			want = append(want, wanted{r, c.datagram, payload})
		}
	}
	c.match(want, got)
}

// match pairs the records of one datagram: in their order if that explains all, else
// the equal ones, then those whose differences are listed.
func (c *comparison) match(want []wanted, got []obtained) {
	if len(want) == len(got) && c.inOrder(want, got) {
		return
	}
	want, got, ordered := c.equal(want, got)
	if !ordered {
		c.fail("datagram %d: the records come in another order", c.datagram)
	}
	want, got = c.alike(want, got)
	var left []wanted
	for _, w := range want {
		switch name := absenceReason(w.Record, len(want)); {
		case w.Has(goflowref.Late):
			c.late = append(c.late, w)
		case name != "":
			c.counts.reasons[name]++
		default:
			left = append(left, w)
		}
	}
	for _, g := range got {
		if len(left) > 0 {
			c.report(left[0], g)
			left = left[1:]
		} else {
			c.surplus = append(c.surplus, g)
		}
	}
	for _, w := range left {
		c.fail("datagram %d: no record of ours for %s\n%s", w.datagram, describe(&w.Values), dump(w.payload))
	}
}

// inOrder compares records one by one; it counts only if all are explained.
func (c *comparison) inOrder(want []wanted, got []obtained) bool {
	n := newScores()
	for i := range want {
		if _, ok := explain(want[i].Record, &got[i].Values, n); !ok {
			return false
		}
		n.compared++
	}
	c.counts.add(n)
	return true
}

// equal takes out the records that are the same on both sides, and says whether they
// were in the same order, as far as that is to be expected.
func (c *comparison) equal(want []wanted, got []obtained) (restWant []wanted, restGot []obtained, ordered bool) {
	at := make(map[goflowref.Values][]int)
	for i := range got {
		at[got[i].Values] = append(at[got[i].Values], i)
	}
	taken := make(map[int]bool)
	last, ordered := -1, true
	for _, w := range want {
		places := at[w.Values]
		if len(places) == 0 {
			restWant = append(restWant, w)
			continue
		}
		at[w.Values], taken[places[0]] = places[1:], true
		c.counts.compared++
		// The ways back may follow one by one or all together, and what waited may come
		// before or after the rest.
		if !w.Has(goflowref.Reverse) && !w.Has(goflowref.Late) {
			ordered = ordered && places[0] > last
			last = places[0]
		}
	}
	for i := range got {
		if !taken[i] {
			restGot = append(restGot, got[i])
		}
	}
	return restWant, restGot, ordered
}

// alike takes out the pairs whose differences are all listed.
func (c *comparison) alike(want []wanted, got []obtained) (restWant []wanted, restGot []obtained) {
	restGot = got
	for _, w := range want {
		found := -1
		for i := range restGot {
			n := newScores()
			if _, ok := explain(w.Record, &restGot[i].Values, n); ok {
				n.compared++
				c.counts.add(n)
				found = i
				break
			}
		}
		if found < 0 {
			restWant = append(restWant, w)
			continue
		}
		restGot = append(append([]obtained(nil), restGot[:found]...), restGot[found+1:]...)
	}
	return restWant, restGot
}

// end compares what came out at different datagrams.
func (c *comparison) end() {
	want, got, _ := c.equal(c.late, c.surplus)
	want, got = c.alike(want, got)
	total := c.ours.Total()
	if len(want) > 0 && total.Dropped[collector.WaitingLimit] == 0 {
		c.fail("datagram %d: no record of ours, once the template had come, for %s\n%s", want[0].datagram, describe(&want[0].Values), dump(want[0].payload))
	}
	c.counts.reasons[notWaited] += len(want)
	for _, g := range got {
		c.fail("datagram %d: a record of ours that goflow2 does not have: %s\n%s", g.datagram, describe(&g.Values), dump(g.payload))
	}
}
