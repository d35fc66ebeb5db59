package collector

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"tapwatch/flow"
)

// exporterState is what a Decoder wants to know again of one exporter after a restart:
// what it said over UDP. What it said over connections ended with them (RFC 7011 §8).
type exporterState struct {
	Exporter       netip.Addr `json:"exporter"`
	LastReceivedAt time.Time  `json:"last_received_at"`
	// Protocols are those it has spoken, by the names that Health uses.
	Protocols []string `json:"protocols,omitempty"`
	// Sessions is what its sessions gave (Session.State), by Protocol.Name.
	Sessions map[string]json.RawMessage `json:"sessions,omitempty"`
}

// known gives the addresses of the exporters of which state may say something.
func (d *Decoder) known() []netip.Addr {
	all := make([]netip.Addr, 0, d.table.ordered[active].Len()+d.table.ordered[listed].Len())
	for addr, e := range d.table.byAddr {
		if e.rank != probation {
			all = append(all, addr)
		}
	}
	return all
}

// state gives what to keep of an exporter; without an address if there is nothing. Of
// one that the inventory lists that is at least when it was heard last, so that Health
// goes on telling although it may be silent by now. An error says what is not kept.
func (d *Decoder) state(addr netip.Addr) (s exporterState, err error) {
	e := d.table.byAddr[addr]
	if e == nil || e.rank == probation {
		return exporterState{}, nil
	}
	s = exporterState{Exporter: addr, LastReceivedAt: e.lastReceivedAt, Protocols: protocolNames(e.protocols)}
	for i, session := range e.datagrams.sessions {
		if session.Session == nil {
			continue
		}
		name := d.protocols[i].Name()
		data, failed := session.State()
		switch {
		case failed != nil:
			err = errors.Join(err, fmt.Errorf("%s of exporter %s: %w", name, addr, failed))
		case len(data) > 0:
			if s.Sessions == nil {
				s.Sessions = make(map[string]json.RawMessage)
			}
			s.Sessions[name] = data
		}
	}
	if len(s.Sessions) == 0 && e.rank != listed {
		return exporterState{}, err
	}
	return s, err
}

// Why an exporter's state is not taken.
var (
	errAged     = errors.New("not heard for longer than limits.template_lifetime")
	errUnlisted = errors.New("the inventory does not list it")
	errNoRoom   = errors.New("beyond limits.max_exporters")
	errNothing  = errors.New("nothing of its state holds any more")
)

// restore takes what state gave in an earlier run. It is to be called before the
// first datagram, for the exporter heard last first: they have the first right to
// what room there is, and nobody gives way. The error is errAged, errUnlisted,
// errNoRoom or errNothing if the exporter is left out, and else says what of the state
// is damaged; the rest of it holds.
func (d *Decoder) restore(s *exporterState, now time.Time) error {
	addr := s.Exporter.Unmap().WithZone("")
	if !addr.IsValid() || addr.IsUnspecified() {
		return fmt.Errorf("%q is no exporter's address", s.Exporter)
	}
	if now.Sub(s.LastReceivedAt) > d.limits.TemplateLifetime {
		return errAged
	}
	_, isListed := d.inventory.Exporter(addr)
	if d.listedOnly && !isListed {
		return errUnlisted
	}
	heard := s.LastReceivedAt
	if heard.After(now) { // the clock was set back
		heard = now
	}
	e, err := d.table.restore(addr, isListed, heard)
	if err != nil {
		return err
	}
	damage := d.restoreSessions(e, s.Sessions, now)
	for _, p := range exported {
		if slices.Contains(s.Protocols, p.name) {
			e.protocols |= protocolBit(p.protocol)
		}
	}
	// Without state there is no proof that it ever sent anything that made sense.
	if !isListed && e.held.Templates == 0 && len(e.samplingIntervals()) == 0 {
		d.table.remove(e)
		return cmp.Or(damage, errNothing)
	}
	return damage
}

// restoreSessions gives the sessions over UDP their state; the error says what of it
// is damaged.
func (d *Decoder) restoreSessions(e *exporter, states map[string]json.RawMessage, now time.Time) error {
	var damage []error
	understood := 0
	for i, p := range d.protocols {
		state, ok := states[p.Name()]
		if !ok {
			continue
		}
		understood++
		session := d.session(&e.datagrams, i)
		// At the time it was heard nobody is idle in comparison: allow makes no room.
		d.datagram = Datagram{ReceivedAt: e.lastReceivedAt, Tally: &e.total}
		d.allow(e, session.size)
		d.datagram.ReceivedAt = now
		if err := session.Restore(state, &d.datagram); err != nil {
			damage = append(damage, fmt.Errorf("%s of exporter %s: %w", p.Name(), e.addr, err))
		}
		d.table.resize(e, &session.size, session.Size())
	}
	if n := len(states) - understood; n > 0 {
		damage = append(damage, fmt.Errorf("exporter %s: state of %d protocols that are not spoken here", e.addr, n))
	}
	return errors.Join(damage...)
}

// restore makes the entry of an exporter that was heard before all others in the
// table.
func (t *table) restore(addr netip.Addr, isListed bool, heard time.Time) (*exporter, error) {
	if t.byAddr[addr] != nil {
		return nil, fmt.Errorf("exporter %s is there twice", addr)
	}
	if !isListed && t.ordered[probation].Len()+t.ordered[active].Len() >= t.max {
		return nil, errNoRoom
	}
	e := &exporter{addr: addr, bytes: flow.FromAddr(addr), lastReceivedAt: heard, placedAt: heard, rank: active}
	if isListed {
		e.rank = listed
	}
	t.link(e)
	t.ordered[e.rank].MoveToBack(e.place)
	t.byAddr[addr] = e
	return e, nil
}
