package simulate

import (
	"hash/fnv"
	"net/netip"
	"time"
)

// habit is one kind of background traffic. It yields the conversations that begin
// within a second of stream time, and depends on nothing but that second.
type habit interface {
	during(second int64, yield func(*conversation, *dice))
}

// size is what one way of a conversation carries: bytes, in packets of a length.
type size struct{ bytes, packet float64 }

// service is a habit of machines: each client talks to each server at a steady
// rhythm, in conversations of their own or in one that lasts forever.
type service struct {
	name             string
	clients, servers []netip.Addr
	protocol         uint8
	port             uint16
	// clientPort is used instead of an ephemeral port where it is not 0.
	clientPort uint16
	every      time.Duration
	// lasts is the length of a conversation; 0: the service is one conversation
	// without end, told in parts of length every.
	lasts time.Duration
	// sent and received are of one conversation or one part.
	sent, received size
	// swings makes the volume follow the activity of people.
	swings bool
	// hours are when the service is used; nil: always.
	hours func(second int64) bool
	tos   uint8
}

// pair is a client and a server of a service, with their own time within its
// rhythm and the client's port of a lasting conversation.
type pair struct {
	client, server netip.Addr
	phase          int64
	port           uint16
}

// schedule is a service made ready.
type schedule struct {
	service
	seed  uint64
	pairs map[int64][]pair // by phase
}

func newSchedule(s service, seed uint64) *schedule {
	sc := &schedule{service: s, seed: seed, pairs: map[int64][]pair{}}
	for _, client := range s.clients {
		for _, server := range s.servers {
			if client == server || client.Is4() != server.Is4() {
				continue
			}
			h := fnv.New64a()
			h.Write([]byte(s.name + " " + client.String() + " " + server.String()))
			d := newDice(seed, s.name, int64(h.Sum64()))
			p := pair{client: client, server: server, phase: d.Int64N(sc.period()), port: s.clientPort}
			if p.port == 0 {
				p.port = d.ephemeral()
			}
			sc.pairs[p.phase] = append(sc.pairs[p.phase], p)
		}
	}
	return sc
}

// period is the rhythm in whole seconds.
func (s *schedule) period() int64 { return int64(s.every / time.Second) }

func (s *schedule) during(second int64, yield func(*conversation, *dice)) {
	if s.hours != nil && !s.hours(second) {
		return
	}
	pairs := s.pairs[second%s.period()]
	if len(pairs) == 0 {
		return
	}
	d := newDice(s.seed, s.name, second)
	level := 1.0
	if s.swings {
		level = activity(second)
	}
	for i := range pairs {
		yield(s.conversation(&pairs[i], second, level, d), d)
	}
}

func (s *schedule) conversation(p *pair, second int64, level float64, d *dice) *conversation {
	c := &conversation{
		start: second * 1000, duration: s.every.Milliseconds(), client: p.client, server: p.server,
		clientPort: p.port, serverPort: s.port, protocol: s.protocol, tos: s.tos, continues: s.lasts == 0,
	}
	if s.lasts > 0 {
		c.start += int64(d.IntN(1000))
		c.duration = max(1, int64(d.lognormal(float64(s.lasts.Milliseconds()), 0.2)))
		c.duration = min(c.duration, maxConversation.Milliseconds())
		if s.clientPort == 0 {
			c.clientPort = d.ephemeral()
		}
		c.established()
	} else {
		c.flags(false, false)
	}
	c.toServer = c.draw(s.sent, level, d)
	c.toClient = c.draw(s.received, level, d)
	return c
}

// draw draws a volume around a size; none for a size of no bytes.
func (c *conversation) draw(s size, level float64, d *dice) volume {
	if s.bytes == 0 {
		return volume{}
	}
	return c.traffic(s.bytes*level*d.lognormal(1, 0.15), s.packet)
}
