package campaign

import (
	"fmt"
	"slices"
	"time"
)

// planting is one instance of a technique while it is drawn.
type planting struct {
	*plan
	cfg   *Config
	c     *carrier
	b     *background
	d     *dice
	n     int // number of the instance
	index int32
	label *Label
	// from and to bound the attack half, with a margin so that every record of what
	// lies within is exported.
	from, to int64
	takes    int64
	// busy are hosts that another instance of the same technique has.
	busy map[*host]bool
	// first and last are what is planned.
	first, last int64
}

// margin is the time kept free at both ends of the attack half.
const margin = 10 * minute

func newPlan(cfg *Config, c *carrier, b *background) (plan, error) {
	p := new(plan)
	for _, t := range catalogue() {
		if cfg.wants(t.key) {
			p.plantAll(cfg, c, b, t, false)
		}
	}
	for _, t := range traps() {
		p.plantAll(cfg, c, b, t, true)
	}
	for i := range p.labels {
		if l := &p.labels[i]; l.First.IsZero() {
			return *p, fmt.Errorf("campaign: nothing was planted for %s: give the attack half more time or the carrier more pairs", l.ID)
		}
	}
	return *p, nil
}

// plantAll plants the instances of a technique.
func (p *plan) plantAll(cfg *Config, c *carrier, b *background, t technique, trap bool) {
	busy := map[*host]bool{}
	for n := range cfg.Instances {
		id := fmt.Sprintf("%s-%d", t.key, n+1)
		label := Label{ID: id, Technique: t.key, Trap: trap, Tradecraft: t.tradecraft, Detectors: t.detectors, Params: map[string]float64{}}
		x := &planting{
			plan: p, cfg: cfg, c: c, b: b, d: newDice(cfg.Seed, "plant "+id), n: n, index: int32(len(p.labels)) + 1, label: &label,
			from: cfg.attackFrom() + margin, to: cfg.end() - margin, takes: t.takes.Milliseconds(), busy: busy,
		}
		t.plant(x)
		if x.first == 0 && trap {
			continue // this span of time has no place for it
		}
		if x.first > 0 {
			label.First, label.Last = time.UnixMilli(x.first).UTC(), time.UnixMilli(x.last).UTC()
		}
		p.labels = append(p.labels, label)
	}
}

// begin draws when it begins, so that it can end in time.
func (p *planting) begin() int64 {
	room := p.to - p.from - p.takes
	if room <= 0 {
		return p.from
	}
	return p.from + p.d.Int64N(room)
}

// span notes that something happens in [from, to).
func (p *planting) span(from, to int64) {
	if p.first == 0 || from < p.first {
		p.first = from
	}
	p.last = max(p.last, to)
}

// strength says how strong the instance is.
func (p *planting) strength(format string, args ...any) {
	p.label.Strength = fmt.Sprintf(format, args...)
}

// about names the asset (or address) an alert may speak of.
func (p *planting) about(hosts ...*host) {
	for _, h := range hosts {
		name := h.name
		if name == "" {
			name = h.addr.String()
		}
		if !slices.Contains(p.label.Assets, name) {
			p.label.Assets = append(p.label.Assets, name)
		}
	}
}

// with names other ends.
func (p *planting) with(hosts ...*host) {
	for _, h := range hosts {
		if !slices.Contains(p.label.Peers, h.addr) {
			p.label.Peers = append(p.label.Peers, h.addr)
		}
	}
}

func (p *planting) port(ports ...uint16) {
	for _, n := range ports {
		if n != 0 && !slices.Contains(p.label.Ports, n) {
			p.label.Ports = append(p.label.Ports, n)
		}
	}
}

// say adds a conversation, which ends in time.
func (p *planting) say(c conversation) {
	if c.start >= p.to {
		return
	}
	c.start = max(c.start, p.from)
	c.duration = max(1, min(c.duration, p.to-c.start))
	c.label = p.index
	p.conversations = append(p.conversations, c)
	p.span(c.start, c.start+c.duration)
}

// talk adds a session that opens and closes properly: bytes each way, in packets as
// such sessions have them.
func (p *planting) talk(client, server *host, protocol uint8, port uint16, start, lasts int64, sent, received float64) {
	c := conversation{
		start: start, duration: lasts, client: client, server: server, clientPort: p.d.ephemeral(), serverPort: port, protocol: protocol,
		toServer: traffic(protocol, sent, packetOf(sent, received)), toClient: traffic(protocol, received, packetOf(received, sent)),
	}
	if port == 0 {
		c.clientPort = 0
	}
	c.established()
	p.say(c)
}

// packetOf is the length of packets of one way: full ones where most goes that way,
// small ones where it is answers.
func packetOf(bytes, other float64) float64 {
	switch {
	case bytes > 20*other:
		return 1380
	case bytes > 4*other:
		return 1100
	case other > 20*bytes:
		return 60
	case other > 4*bytes:
		return 100
	default:
		return 320
	}
}

// attempt adds a TCP connection that is refused (rst) or not answered.
func (p *planting) attempt(client, server *host, port uint16, start int64, refused bool) {
	c := conversation{
		start: start, duration: 1, client: client, server: server, clientPort: p.d.ephemeral(), serverPort: port, protocol: tcp,
		toServer: volume{1, 44}, clientFlags: syn,
	}
	if refused {
		c.serverFlags, c.toClient = rst|ack, volume{1, 40}
	} else if p.d.chance(0.4) {
		c.toServer, c.duration = volume{3, 132}, 3000
	}
	p.say(c)
}

// sampledOnly notes that only sampling routers see what gives the instance away.
func (p *planting) sampledOnly() { p.label.Params["sampled"] = 1 }

// note sets a number of the strength.
func (p *planting) note(name string, value float64) { p.label.Params[name] = value }
