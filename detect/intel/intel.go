// Package intel finds protected systems that talk with addresses of intelligence
// lists, whoever began. See README.md.
package intel

import (
	"context"
	_ "embed"
	"slices"

	"tapwatch/alert"
	"tapwatch/detect"
	"tapwatch/flow"
	"tapwatch/inventory"
)

// Name is the detector's name in the registry.
const Name = "intel"

//go:embed filter.sql
var filterSQL string

// The rules of the detector, as alerts name them.
const (
	// ruleConversation: a listed address and a protected system really talked.
	ruleConversation = "listed-conversation"
	// ruleContact: a protected system tried to reach a listed address.
	ruleContact = "listed-contact"
	// ruleProbe: a listed address tried, and nobody answered.
	ruleProbe = "listed-probe"
)

// Detector is the intel detector. Safe for concurrent use.
type Detector struct {
	cfg       Config
	inventory func() *inventory.Inventory
}

// New returns the detector; inv gives the inventory in force. cfg is valid.
func New(cfg Config, inv func() *inventory.Inventory) *Detector {
	return &Detector{cfg: cfg, inventory: inv}
}

// Name returns "intel".
func (*Detector) Name() string { return Name }

// Detect returns one finding for each conversation of the window between a listed
// address and a protected system, and one for each indicator and zone that was
// merely probed.
func (d *Detector) Detect(ctx context.Context, w detect.Window, h detect.History) ([]alert.Finding, error) {
	inv := d.inventory()
	protected := detect.ProtectedZones(inv)
	conversations, err := detect.Conversations(ctx, h, detect.ConversationQuery{
		Window:    w,
		Horizon:   d.cfg.Horizon,
		Filter:    filterSQL,
		Protected: protected,
		Attempts:  true,
	})
	if err != nil {
		return nil, err
	}
	var findings []alert.Finding
	probed := newProbes()
	for i := range conversations {
		c := listedPeer(conversations[i], protected)
		if _, held := inv.UnderMaintenance(c.FirstSeen, inventory.Subject{Zone: c.AssetZone, Asset: c.AssetName}); held {
			continue
		}
		switch rule := judge(&c); {
		case rule == ruleContact && c.PeerSpoke:
			// The listed end did answer: our own part is exported in a later window,
			// and makes it a conversation then.
		case rule != ruleProbe:
			findings = append(findings, d.finding(&c, rule, w, inv))
		case d.cfg.Probes:
			probed.add(&c)
		}
	}
	return append(detect.Merge(findings), probed.findings(w, inv)...), nil
}

// listedPeer makes the listed end the peer. Where only our own address is listed
// and the other end is nobody's business, it stays as it is.
func listedPeer(c detect.Conversation, protected []string) detect.Conversation {
	if c.PeerIntel == "" && slices.Contains(protected, c.PeerZone) {
		return c.Turned()
	}
	return c
}

// judge tells which rule the conversation breaks.
func judge(c *detect.Conversation) string {
	switch {
	case c.Established:
		return ruleConversation
	case c.AssetTried, c.Initiator == "asset":
		return ruleContact
	default:
		return ruleProbe
	}
}

// severity is critical where an intercept system is involved, or where a protected
// system itself opened what was established.
func severity(c *detect.Conversation, rule string) alert.Severity {
	switch {
	case c.AssetZoneKind == flow.ZoneLawfulIntercept:
		return alert.Critical
	case rule == ruleConversation && c.Initiator == "asset":
		return alert.Critical
	default:
		return alert.High
	}
}
