package inventory

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"tapwatch/flow"
)

// Rule says who may talk to whom.
type Rule struct {
	Name     string
	From, To []Selector
	// Protocol is the IP protocol number; any protocol where AnyProtocol is set.
	Protocol    uint8
	AnyProtocol bool
	// Ports are those of the server; empty: any.
	Ports []PortRange
	// EitherInitiates says that To may open the conversation as well as From.
	EitherInitiates bool
	Schedule        Schedule
	// Expires is the first moment at which the rule no longer holds; zero: never.
	Expires       time.Time
	Owner, Ticket string
}

// PortRange is an inclusive range of ports.
type PortRange struct{ First, Last uint16 }

// String gives "443" or "9000-9010".
func (r PortRange) String() string {
	if r.First == r.Last {
		return fmt.Sprint(r.First)
	}
	return fmt.Sprintf("%d-%d", r.First, r.Last)
}

// Conversation is what the flows between two addresses add up to.
type Conversation struct {
	// Client opened the conversation and Server was asked; where InitiatorKnown is
	// false they are a guess.
	Client, Server netip.Addr
	// Protocol is the IP protocol number, Port the server's port; 0 where the
	// protocol has none.
	Protocol uint8
	Port     uint16
	// At is when the conversation took place; schedules and expiry dates are held
	// against it.
	At             time.Time
	InitiatorKnown bool
}

// Allowed returns the name of the first rule that allows the conversation. Where
// the initiator is not known, a rule that allows it either way around does.
func (v *Inventory) Allowed(c Conversation) (rule string, ok bool) {
	client, server := v.party(c.Client), v.party(c.Server)
	for i := range v.Allow {
		r := &v.Allow[i]
		if r.covers(&c) && r.joins(&client, &server, c.InitiatorKnown) {
			return r.Name, true
		}
	}
	return "", false
}

func (v *Inventory) party(addr netip.Addr) party {
	addr = plain(addr)
	return party{Entry: v.Lookup(addr), addr: addr}
}

// covers tells whether protocol, port and time of the conversation are allowed.
func (r *Rule) covers(c *Conversation) bool {
	return r.coversProtocol(c.Protocol) && r.coversPort(c.Port) && !r.ended(c.At) && r.Schedule.Contains(c.At)
}

// joins tells whether the rule's ends are the conversation's, in an orientation
// that the rule allows.
func (r *Rule) joins(client, server *party, initiatorKnown bool) bool {
	if anyMatches(r.From, client) && anyMatches(r.To, server) {
		return true
	}
	return (r.EitherInitiates || !initiatorKnown) && anyMatches(r.From, server) && anyMatches(r.To, client)
}

func (r *Rule) coversProtocol(protocol uint8) bool { return r.AnyProtocol || r.Protocol == protocol }

func (r *Rule) coversPort(port uint16) bool {
	for _, p := range r.Ports {
		if p.First <= port && port <= p.Last {
			return true
		}
	}
	return len(r.Ports) == 0
}

func (r *Rule) ended(at time.Time) bool { return !r.Expires.IsZero() && !at.Before(r.Expires) }

// portsText gives "ports 443, 9000-9010" or "port 443".
func (r *Rule) portsText() string {
	texts := make([]string, len(r.Ports))
	for i, p := range r.Ports {
		texts[i] = p.String()
	}
	if len(r.Ports) == 1 && r.Ports[0].First == r.Ports[0].Last {
		return "port " + texts[0]
	}
	return "ports " + strings.Join(texts, ", ")
}

func (r *Rule) protocolText() string {
	if r.AnyProtocol {
		return "any protocol"
	}
	return flow.ProtocolName(r.Protocol)
}

// conversationText gives "udp port 53", or "gre".
func conversationText(c *Conversation) string {
	if c.Port == 0 {
		return flow.ProtocolName(c.Protocol)
	}
	return fmt.Sprintf("%s port %d", flow.ProtocolName(c.Protocol), c.Port)
}
