package campaign

// habit is what a client does with a server again and again.
type habit struct {
	name           string
	client, server *host
	protocol       uint8
	port           uint16
	// clientPort is used instead of an ephemeral port where it is not 0.
	clientPort uint16
	tos        uint8
	// perDay is how often, on average, with times drawn by when; every is a fixed
	// rhythm instead, of which each beat is late by up to jitter of it.
	perDay float64
	when   *shape
	every  int64
	jitter float64
	// from and until bound it; 0: the campaign does.
	from, until int64
	// sent and received are one conversation's, lasts its length in milliseconds.
	sent, received amount
	lasts, spread  float64
	// pauses are when it rests although it would not.
	pauses []pause
	// label is the index of a trap's label plus one: 0 none.
	label int32
}

// pause is a span of time, in Unix milliseconds.
type pause struct{ from, to int64 }

func (h *habit) paused(at int64) bool {
	for _, p := range h.pauses {
		if p.from <= at && at < p.to {
			return true
		}
	}
	return false
}

// amount is what one way of a conversation carries: bytes around a median, in packets
// of a length.
type amount struct{ bytes, packet, spread float64 }

// beating is a habit under way.
type beating struct {
	*habit
	d    *dice
	beat int64 // of a fixed rhythm: when the last beat was due
}

// begin gives the first time of the habit within [from, to).
func (b *beating) begin(from int64) int64 {
	from = max(from, b.from)
	if b.every > 0 {
		b.beat = from + b.d.Int64N(b.every)
		return b.late()
	}
	return b.next(from)
}

func (b *beating) late() int64 {
	return b.beat + int64(b.d.Float64()*b.jitter*float64(b.every))
}

// next gives the time after at; 0 for none.
func (b *beating) next(at int64) int64 {
	if b.every > 0 {
		b.beat += b.every
		at = b.late()
	} else {
		rate := b.perDay * b.when.most / float64(day)
		if rate <= 0 {
			return 0
		}
		limit := at + 60*day
		for {
			at += int64(b.d.ExpFloat64()/rate) + 1
			if at > limit {
				return 0
			}
			if b.d.Float64()*b.when.most <= b.when.at(at) {
				break
			}
		}
	}
	if b.until > 0 && at >= b.until {
		return 0
	}
	return at
}

// fire tells one conversation and gives the time of the next.
func (b *beating) fire(r *run, at int64) int64 {
	if b.paused(at) {
		return b.next(at)
	}
	c := conversation{
		start: at, client: b.client, server: b.server, clientPort: b.clientPort, serverPort: b.port,
		protocol: b.protocol, tos: b.tos, label: b.label,
	}
	if c.clientPort == 0 && b.port != 0 {
		c.clientPort = b.d.ephemeral()
	}
	stretch := 1.0
	if b.spread > 0 {
		stretch = b.d.lognormal(1, b.spread)
	}
	c.duration = max(1, int64(b.lasts*stretch))
	c.duration = min(c.duration, 20*hour)
	c.established()
	c.toServer = b.sent.draw(b.d, b.protocol, stretch)
	c.toClient = b.received.draw(b.d, b.protocol, stretch)
	if b.protocol == tcp && b.d.chance(fails) {
		c.fail(b.d)
	}
	r.tell(c)
	return b.next(at)
}

// fails is the share of TCP connections of the background that come to nothing: a
// service that restarts, a host that is away.
const fails = 0.002

// fail makes a connection one that is refused or not answered.
func (c *conversation) fail(d *dice) {
	c.clientFlags, c.toServer, c.toClient = syn, volume{1, 44}, volume{}
	if c.duration = 1; d.chance(0.5) {
		c.serverFlags, c.toClient = rst|ack, volume{1, 40}
	} else {
		c.toServer, c.duration = volume{3, 132}, 3000
	}
}

// draw draws a volume; longer conversations carry more.
func (s amount) draw(d *dice, protocol uint8, stretch float64) volume {
	if s.bytes == 0 {
		return volume{}
	}
	bytes := s.bytes * stretch
	if s.spread > 0 {
		bytes = d.lognormal(bytes, s.spread)
	}
	return traffic(protocol, bytes, s.packet)
}
