// Package intel finds protected systems that talk with addresses of intelligence
// lists, whoever began, and those that did so before the lists named them. See README.md.
package intel

import (
	"context"
	"slices"
	"time"

	"tapwatch/alert"
	"tapwatch/detect"
	"tapwatch/inventory"
)

// Name is the detector's name in the registry.
const Name = "intel"

// The rules of the detector, as alerts name them.
const (
	// ruleConversation: a listed address and a protected system really talked.
	ruleConversation = "listed-conversation"
	// ruleContact: a protected system tried to reach a listed address.
	ruleContact = "listed-contact"
	// rulePast: they talked before the list named the address, or it tried.
	rulePast = "listed-past"
	// ruleProbe: a listed address tried, and nobody answered.
	ruleProbe = "listed-probe"
)

// Detector is the intel detector. Safe for concurrent use.
type Detector struct {
	cfg       Config
	inventory func() *inventory.Inventory
	lull      lull
}

// New returns the detector; inv gives the inventory in force. cfg is valid.
func New(cfg Config, inv func() *inventory.Inventory) *Detector {
	return &Detector{cfg: cfg, inventory: inv}
}

// Name returns "intel".
func (*Detector) Name() string { return Name }

// Every returns 0: each pane is a window.
func (*Detector) Every() time.Duration { return 0 }

// Detect returns one finding for each protected system and entry of a list that had to
// do with one another in the window, one for each list and zone that was merely probed,
// and, where indicators have come new, one for each system and entry of the past.
func (d *Detector) Detect(ctx context.Context, w detect.Window, h detect.History) ([]alert.Finding, error) {
	inv := d.inventory()
	live, err := d.live(ctx, w, h, inv)
	if err != nil {
		return nil, err
	}
	past, err := d.past(ctx, w, h, inv)
	if err != nil {
		return nil, err
	}
	return append(live, past...), nil
}

// live finds what was marked as listed when it came in.
func (d *Detector) live(ctx context.Context, w detect.Window, h detect.History, inv *inventory.Inventory) ([]alert.Finding, error) {
	conversations, err := detect.Conversations(ctx, h, detect.ConversationQuery{
		Window:   w,
		Filter:   func(s *detect.Session) bool { return s.Asset.Intel != "" || s.Peer.Intel != "" },
		Attempts: true,
	})
	if err != nil || len(conversations) == 0 {
		return nil, err
	}
	var hits []hit
	probed := newProbes()
	protected := detect.ProtectedZones(inv)
	for i := range conversations {
		c := listedPeer(conversations[i], protected)
		if held(&c, inv) {
			continue
		}
		switch rule := judge(&c); {
		case rule == ruleContact && c.PeerSpoke:
			// The listed end did answer: our own part is exported in a later window,
			// and makes it a conversation then.
		case rule != ruleProbe:
			hits = append(hits, hit{Conversation: &c, rule: rule, indicator: indicator(&c), turned: c.AssetAddr != conversations[i].AssetAddr})
		case d.cfg.Probes:
			probed.add(&c)
		}
	}
	today, err := d.weigh(ctx, hits, w, h)
	if err != nil {
		return nil, err
	}
	return append(d.findings(hits, today, w, inv), probed.findings(w, inv)...), nil
}

// held tells whether nothing is to be said of the conversation: maintenance, or somebody
// allowed just this address.
func held(c *detect.Conversation, inv *inventory.Inventory) bool {
	if _, works := inv.UnderMaintenance(c.FirstSeen, inventory.Subject{Zone: c.AssetZone, Asset: c.AssetName}); works {
		return true
	}
	_, allowed := inv.AllowsAddress(c.AsAsked(), c.PeerAddr)
	return allowed
}

// weigh adds to the hits of a window what the lists say of them and what went over in the
// last day, and grades them.
func (d *Detector) weigh(ctx context.Context, hits []hit, w detect.Window, h detect.History) (*day, error) {
	indicators, assets := map[string]bool{}, map[string]bool{}
	for i := range hits {
		indicators[hits[i].indicator], assets[hits[i].Asset().Name()] = true, true
	}
	said, err := known(ctx, h, sorted(indicators), w.End)
	if err != nil {
		return nil, err
	}
	today, err := lastDay(ctx, h, sorted(assets), w.End)
	if err != nil {
		return nil, err
	}
	for i := range hits {
		one := &hits[i]
		one.entry = said.of(one.indicator)
		one.bytes = today.bytes(one)
		one.heavy = one.bytes >= d.cfg.HeavyBytes
		one.grade()
	}
	return &today, nil
}

// findings puts hits into words: one finding for each system and entry, and one for
// several where there are many.
func (d *Detector) findings(hits []hit, today *day, w detect.Window, inv *inventory.Inventory) []alert.Finding {
	var all []alert.Finding
	for _, g := range d.gather(hits, today) {
		all = append(all, d.finding(g, w, inv))
	}
	slices.SortStableFunc(all, func(a, b alert.Finding) int { return a.FirstSeen.Compare(b.FirstSeen) })
	return all
}
