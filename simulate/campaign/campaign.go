package campaign

import (
	"cmp"
	"fmt"
	"iter"
	"maps"
	"slices"
	"time"

	"tapwatch/inventory"
)

// Campaign is a carrier with its traffic over stream time. Its methods are not safe
// for concurrent use.
type Campaign struct {
	cfg     Config
	carrier *carrier
	habits  []habit
	plan    plan
	text    []byte
	pairs   int
	stats   Stats
	failed  error
}

// plan is what is planted.
type plan struct {
	labels        []Label
	conversations []conversation
	deeds         []deed
	habits        []habit
	maintenance   []maintenance
}

// New draws the campaign that cfg describes. The error of a bad cfg joins one
// *config.KeyError for each bad value.
func New(cfg Config) (*Campaign, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	carrier, err := newCarrier(&cfg)
	if err != nil {
		return nil, err
	}
	c := &Campaign{cfg: cfg, carrier: carrier}
	b := newBackground(&cfg, carrier)
	carrier.drawIntelligence()
	if c.plan, err = newPlan(&cfg, carrier, b); err != nil {
		return nil, err
	}
	c.habits, c.pairs = b.habits, len(b.pairs)
	c.text = carrier.inventory(&c.plan)
	if _, err := inventory.Parse("campaign.yaml", c.text); err != nil {
		return nil, fmt.Errorf("the campaign's inventory: %w", err)
	}
	return c, nil
}

// Inventory is the inventory file of the carrier.
func (c *Campaign) Inventory() []byte { return slices.Clone(c.text) }

// Intelligence is the intelligence lists by file name, CIDRs one a line.
func (c *Campaign) Intelligence() map[string][]byte { return maps.Clone(c.carrier.lists) }

// Labels are what is planted, in order of the beginning. First, Last and Records are
// exact once Datagrams has been read to its end; before that First and Last are what
// is planned.
func (c *Campaign) Labels() []Label {
	all := slices.Clone(c.plan.labels)
	slices.SortStableFunc(all, func(a, b Label) int {
		return cmp.Or(a.First.Compare(b.First), cmp.Compare(a.ID, b.ID))
	})
	return all
}

// Stats is what the last reading of Datagrams yielded, and how large the carrier is.
func (c *Campaign) Stats() Stats {
	s := c.stats
	s.Pairs, s.Exporters = c.pairs, len(c.carrier.exporters)
	names := map[string]bool{}
	for _, z := range c.carrier.zones {
		for _, h := range z.hosts {
			names[h.name] = true
		}
	}
	s.Assets = len(names)
	return s
}

// Err is why the last reading of Datagrams ended early, nil where it did not or its
// reader broke off.
func (c *Campaign) Err() error { return c.failed }

// Datagrams yields what the routers send, in the order in which the collector
// receives it. It may be read again and yields the same every time.
func (c *Campaign) Datagrams() iter.Seq[Datagram] {
	return func(yield func(Datagram) bool) {
		r, err := c.begin(yield)
		if err == nil {
			err = r.work()
		}
		c.stats, c.failed = r.stats, nil
		if err == errStopped {
			return
		}
		if c.failed = err; err != nil {
			return
		}
		for i, t := range r.tallies {
			l := &c.plan.labels[i]
			l.Records = t.records
			if t.records > 0 {
				l.First, l.Last = time.UnixMilli(t.first).UTC(), time.UnixMilli(t.last).UTC()
			}
		}
	}
}

// begin sets everything to the start of stream time.
func (c *Campaign) begin(yield func(Datagram) bool) (*run, error) {
	start := c.cfg.start()
	r := &run{
		carrier: c.carrier, d: newDice(c.cfg.Seed, "run"), yield: yield, end: c.cfg.end(), drained: start >> bucketBits,
		exporters: make([]exporting, len(c.carrier.exporters)), tallies: make([]tally, len(c.plan.labels)),
		deeds: slices.Clone(c.plan.deeds), resampled: map[int][]deed{},
	}
	slices.SortStableFunc(r.deeds, func(a, b deed) int { return cmp.Compare(a.at, b.at) })
	for _, x := range r.deeds {
		if x.sampling > 0 {
			r.resampled[x.exporter] = append(r.resampled[x.exporter], x)
		}
	}
	for _, e := range c.carrier.exporters {
		if err := r.startExporter(e); err != nil {
			return r, fmt.Errorf("router %s: %w", e.host.name, err)
		}
	}
	c.addTransit(r)
	for _, list := range [][]habit{c.habits, c.plan.habits} {
		for i := range list {
			h := &list[i]
			b := &beating{habit: h, d: newDice(c.cfg.Seed, fmt.Sprintf("%s %s %s %d", h.name, h.client.addr, h.server.addr, i))}
			if at := b.begin(start); at > 0 {
				r.queue.add(at, b)
			}
		}
	}
	for i := range c.plan.conversations {
		p := c.plan.conversations[i]
		r.queue.add(p.start, &told{p})
	}
	return r, nil
}
