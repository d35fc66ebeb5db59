package campaign

import "net/netip"

// background is what the carrier's systems do all day.
type background struct {
	cfg    *Config
	c      *carrier
	d      *dice
	shapes *shapes
	habits []habit
	pairs  map[pair]bool
}

// pair is a protected asset and a peer, with the service between them.
type pair struct {
	client, server netip.Addr
	port           uint16
}

func newBackground(cfg *Config, c *carrier) *background {
	b := &background{cfg: cfg, c: c, d: newDice(cfg.Seed, "background"), shapes: newShapes(), pairs: map[pair]bool{}}
	c.shapes = b.shapes
	b.drawPartners()
	b.intercept()
	b.devices()
	b.people()
	b.signalling()
	b.beyond()
	b.newcomers()
	b.access()
	return b
}

// add adds a habit, of systems of which at least one is protected.
func (b *background) add(h habit) {
	if h.client == h.server {
		return
	}
	if h.when == nil {
		h.when = b.shapes.flat
	}
	b.pairs[pair{h.client.addr, h.server.addr, h.port}] = true
	b.habits = append(b.habits, h)
}

// rate draws how often one of many systems does something: around a median, for the
// systems of a carrier are not alike.
func (b *background) rate(perDay float64) float64 { return b.d.lognormal(perDay, 0.5) }

// amounts vary from one conversation to the next by so much.
const varies = 0.35

func of(bytes, packet float64) amount { return amount{bytes, packet, varies} }

// same is an amount that is the same every time, as of a protocol with fixed fields.
func same(bytes float64) amount { return amount{bytes, bytes, 0} }
