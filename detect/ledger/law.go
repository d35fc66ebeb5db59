package ledger

import (
	"net/netip"
	"time"

	"tapwatch/inventory"
)

// Law tells what the inventory allows, and remembers its answers. Not safe for
// concurrent use.
type Law struct {
	inv   *inventory.Inventory
	known map[asked]string
}

type asked struct {
	from, to   netip.Addr
	protocol   uint8
	port       uint16
	opened     string
	fromServes bool
	hour       int64
}

// NewLaw returns the law of the inventory.
func NewLaw(inv *inventory.Inventory) *Law {
	return &Law{inv: inv, known: map[asked]string{}}
}

// Rule is the rule of the inventory that allows the move, empty if none does. Schedules
// are held against the hour in which it took place; of a span of a day against its
// first hour.
func (l *Law) Rule(m *Move) string {
	hour := m.At.Truncate(time.Hour)
	k := asked{m.FromAddr, m.ToAddr, m.Protocol, m.Port, m.Opened, m.FromServes, hour.Unix()}
	rule, ok := l.known[k]
	if !ok {
		c := inventory.Conversation{Client: m.FromAddr, Server: m.ToAddr, Protocol: m.Protocol, Port: m.Port, At: hour, InitiatorKnown: m.Opened != ""}
		if m.Opened == "to" || m.Opened == "" && m.FromServes {
			c.Client, c.Server = c.Server, c.Client
		}
		rule, _ = l.inv.Allowed(c)
		l.known[k] = rule
	}
	return rule
}

// Held tells whether maintenance holds alerts about the sender or the receiver back.
func (l *Law) Held(m *Move, at time.Time) bool {
	_, from := l.inv.UnderMaintenance(at, inventory.Subject{Zone: m.FromZone, Asset: m.FromName})
	if m.ToZone == "" {
		return from
	}
	_, to := l.inv.UnderMaintenance(at, inventory.Subject{Zone: m.ToZone, Asset: m.ToName})
	return from || to
}
