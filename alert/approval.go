package alert

import (
	"net/netip"
	"time"

	"tapwatch/flow"
)

// Approval says that what an alert told of is wanted: an allow rule with an owner, a
// ticket and an end. Detectors that ask the inventory who may talk with whom do not
// raise it again while it is in force.
type Approval struct {
	ID string `json:"id"`
	// AlertID is the alert that it was made from, and Title the title of that.
	AlertID string `json:"alert"`
	Title   string `json:"title"`
	// Client may open conversations with Server; EitherInitiates: the other way around
	// too, for the flows did not tell who did. ClientAsset and ServerAsset are the
	// names that the inventory had for them.
	Client          netip.Addr `json:"client"`
	ClientAsset     string     `json:"client_asset"`
	Server          netip.Addr `json:"server"`
	ServerAsset     string     `json:"server_asset"`
	EitherInitiates bool       `json:"either_initiates"`
	// Protocol is the IP protocol number, Port the server's; 0 where the protocol has
	// none.
	Protocol uint8  `json:"protocol"`
	Port     uint16 `json:"port"`

	Owner  string `json:"owner"`
	Reason string `json:"reason"`
	Ticket string `json:"ticket"`
	// It is in force from CreatedAt until ExpiresAt, or until somebody ended it at
	// EndedAt, by the clock. EndedAt is zero where nobody did.
	CreatedAt time.Time `json:"created_at"`
	ExpiresAt time.Time `json:"expires_at"`
	EndedAt   time.Time `json:"ended_at,omitzero"`
}

// ApprovalDays is how many days an approval may last.
const ApprovalDays = 365

const approvalEnds = "Give a time within 365 days, as in 2026-03-01T06:00:00Z; what is to stay belongs in the inventory file."

// Approve makes an approval of the conversation that an alert is about. It is a
// *FieldError of the field alert if the alert is about no single conversation: its ends,
// protocol and port must be known, or the rule would allow more than was seen.
func Approve(a *Alert) (Approval, error) {
	switch {
	case !a.Asset.Addr.IsValid() || !a.Peer.Addr.IsValid() || a.Protocol == 0:
		return Approval{}, &FieldError{"alert", "The alert is not about a conversation between two addresses.", "Silence it, or write a rule in the inventory."}
	case a.Port == 0 && flow.HasPorts(a.Protocol):
		return Approval{}, &FieldError{"alert", "The alert is about several ports.", "Write a rule with these ports in the inventory."}
	}
	p := Approval{
		AlertID: a.ID, Title: a.Title, Protocol: a.Protocol, Port: a.Port, EitherInitiates: a.Initiator == "",
		Client: a.Peer.Addr, ClientAsset: a.Peer.Asset, Server: a.Asset.Addr, ServerAsset: a.Asset.Asset,
	}
	if a.Initiator == "asset" {
		p.Client, p.Server = p.Server, p.Client
		p.ClientAsset, p.ServerAsset = p.ServerAsset, p.ClientAsset
	}
	return p, nil
}

// Validate gives a *FieldError for what may not be.
func (p *Approval) Validate() error {
	if p.Ticket == "" {
		return &FieldError{"ticket", "It is missing.", "Name the change under which this is allowed, as in CHG-1002."}
	}
	return within(map[string]string{"ticket": p.Ticket}, maxName,
		first(sayWhy(p.Reason, p.Owner), ends(p.CreatedAt, p.ExpiresAt, ApprovalDays, approvalEnds)))
}

// InForce tells whether the approval holds at that moment of the clock.
func (p *Approval) InForce(at time.Time) bool {
	return !at.Before(p.CreatedAt) && at.Before(p.ExpiresAt) && (p.EndedAt.IsZero() || at.Before(p.EndedAt))
}

// OutsideToIntercept tells whether an alert is about a lawful-intercept system and an
// address outside all zones: what an approval of must be confirmed.
func (a *Alert) OutsideToIntercept() bool {
	within := func(x, y Party) bool { return x.ZoneKind == flow.ZoneLawfulIntercept && y.Zone == "" }
	return within(a.Asset, a.Peer) || within(a.Peer, a.Asset)
}
