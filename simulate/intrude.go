package simulate

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"tapwatch/simulate/scenario"
)

// step is a scenario.Step with its addresses looked up and its times absolute, in
// Unix milliseconds.
type step struct {
	scenario.Step
	seed      uint64
	name      string // of the intrusion and the step: what its dice are made from
	intrusion string
	after     int64

	client, server netip.Addr // of a conversation
	router         int        // of a silence
	until          int64      // end of a silence; 0: never
}

// compile makes the steps of a plan ready.
func (n *Network) compile(plan scenario.Plan) ([]step, error) {
	var all []step
	for _, in := range plan {
		for i := range in.Steps {
			s := step{
				Step: in.Steps[i], seed: n.cfg.Seed, intrusion: in.ID, name: in.ID + "/" + strconv.Itoa(i),
				after: n.cfg.Start.Add(in.Steps[i].After).UnixMilli(),
			}
			if err := n.place(&s); err != nil {
				return nil, fmt.Errorf("intrusion %s, step %d: %w", in.ID, i+1, err)
			}
			all = append(all, s)
		}
	}
	return all, nil
}

// place looks up who the step is about.
func (n *Network) place(s *step) (err error) {
	if s.Silence != "" {
		router, ok := n.routerIndex[s.Silence]
		if !ok {
			return fmt.Errorf("no router is called %q", s.Silence)
		}
		s.router = router
		if s.For > 0 {
			s.until = s.after + s.For.Milliseconds()
		}
		return nil
	}
	if s.client, err = n.party(s.Client); err != nil {
		return err
	}
	s.server, err = n.party(s.Server)
	return err
}

// party is the address of an asset, or the address itself.
func (n *Network) party(name string) (netip.Addr, error) {
	addr, ok := assetAddr(n.inv, name)
	if !ok {
		var err error
		if addr, err = netip.ParseAddr(name); err != nil {
			return addr, fmt.Errorf("%q is neither an asset nor an address", name)
		}
	}
	if _, ok := n.routes.Lookup(addr); !ok {
		return addr, fmt.Errorf("no route leads to %s", name)
	}
	return addr, nil
}

// silent tells whether the router is kept from exporting at a time.
func (n *Network) silent(router int, at int64) bool {
	for i := range n.steps {
		s := &n.steps[i]
		if s.Silence != "" && s.router == router && s.after <= at && (s.until == 0 || at < s.until) {
			return true
		}
	}
	return false
}

// beginning is when repetition i of the step begins, in Unix milliseconds.
func (s *step) beginning(i int) int64 {
	at := s.after + int64(i)*s.Every.Milliseconds()
	if s.Jitter > 0 {
		at += int64(newDice(s.seed, s.name, int64(i)).Float64() * s.Jitter * float64(s.Every.Milliseconds()))
	}
	return at
}

// during yields the parts of the step's conversations that begin in a second; it
// is a habit of the intruder's.
func (s *step) during(second int64, yield func(*conversation, *dice)) {
	from, to := second*1000, second*1000+1000
	if s.Silence != "" || to <= s.after {
		return
	}
	for i := s.earliest(from); i < s.Repetitions(); i++ {
		begin := s.beginning(i)
		if begin >= to {
			return
		}
		if begin+s.For.Milliseconds() > from {
			s.parts(i, begin, from, to, yield)
		}
	}
}

// earliest is the first repetition that can still be under way at a time: one that
// began, at the latest, its own length before it.
func (s *step) earliest(at int64) int {
	if s.Every == 0 {
		return 0
	}
	return max(0, int((at-s.after-s.For.Milliseconds())/s.Every.Milliseconds())-1)
}

// parts yields those parts of repetition i that begin in [from, to).
func (s *step) parts(i int, begin, from, to int64, yield func(*conversation, *dice)) {
	length := part.Milliseconds()
	total := s.For.Milliseconds()
	for p := max(0, (from-begin+length-1)/length); p*length < total && begin+p*length < to; p++ {
		d := newDice(s.seed, s.name+"/parts", int64(i)<<20+p)
		yield(s.conversation(i, p, begin, min(length, total-p*length), d), d)
	}
}

// conversation makes part p, which lasts for duration, of repetition i.
func (s *step) conversation(i int, p, begin, duration int64, d *dice) *conversation {
	length, total := part.Milliseconds(), s.For.Milliseconds()
	share := float64(duration) / float64(total)
	c := &conversation{
		start: begin + p*length, duration: duration, client: s.client, server: s.server, protocol: s.Protocol,
		continues: p*length+duration < total, intrusion: s.intrusion,
	}
	c.clientPort, c.serverPort = s.ports(i)
	c.flags(p == 0, !c.continues)
	c.toServer = c.draw(size{float64(s.Sent) * share, 240}, 1, d)
	c.toClient = c.draw(size{float64(s.Received) * share, 900}, 1, d)
	return c
}

// ports are the client's, the same for all parts of a repetition, and the
// server's; 0 for a protocol without ports.
func (s *step) ports(i int) (client, server uint16) {
	if s.Protocol != protocolTCP && s.Protocol != protocolUDP && s.Protocol != protocolSCTP {
		return 0, 0
	}
	return newDice(s.seed, s.name+"/port", int64(i)).ephemeral(), s.Port
}

// Event is something a spectator is told.
type Event struct {
	At        time.Time
	Intrusion string
	// Text is one plain sentence without a time.
	Text string
}

// Events are what happens in [from, to), in order; a zero to never ends.
func (n *Network) Events(from, to time.Time) []Event {
	var all []Event
	for i := range n.steps {
		s := &n.steps[i]
		at := time.UnixMilli(s.beginning(0)).UTC()
		if s.Say != "" && !at.Before(from) && (to.IsZero() || at.Before(to)) {
			all = append(all, Event{At: at, Intrusion: s.intrusion, Text: s.Say})
		}
	}
	slices.SortStableFunc(all, func(a, b Event) int { return a.At.Compare(b.At) })
	return all
}
