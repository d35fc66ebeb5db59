package campaign

// volume is what goes one way.
type volume struct{ packets, bytes uint64 }

// TCP flags.
const (
	fin = 1
	syn = 2
	rst = 4
	psh = 8
	ack = 16
)

// IP protocols.
const (
	icmp = 1
	ipip = 4
	tcp  = 6
	udp  = 17
	gre  = 47
	esp  = 50
	sctp = 132
)

// conversation is what two ends say to one another, or a part of it. Times are Unix
// milliseconds.
type conversation struct {
	start, duration        int64
	client, server         *host
	clientPort, serverPort uint16
	protocol, tos          uint8
	toServer, toClient     volume
	// clientFlags and serverFlags are all TCP flags that the end sends.
	clientFlags, serverFlags uint8
	// begun says that a part went before, goesOn that more follows.
	begun, goesOn bool
	// label is the index of the Label that it belongs to, plus one; 0 background.
	label int32
}

// leastPacket is the length of the shortest IP packet of a protocol.
func leastPacket(protocol uint8) uint64 {
	switch protocol {
	case tcp:
		return 40
	case sctp:
		return 48
	case gre:
		return 44
	case esp:
		return 60
	default:
		return 28
	}
}

// traffic makes a volume of that many bytes in packets of about that length, none
// shorter than the protocol allows nor longer than a frame carries.
func traffic(protocol uint8, bytes, packetBytes float64) volume {
	if bytes <= 0 {
		return volume{}
	}
	least := leastPacket(protocol)
	v := volume{bytes: max(uint64(bytes), least)}
	v.packets = max(1, uint64(bytes/packetBytes+0.5))
	v.packets = min(v.packets, v.bytes/least)
	v.packets = max(v.packets, (v.bytes+1499)/1500)
	return v
}

// established sets the flags of a TCP conversation that opens and closes properly.
func (c *conversation) established() {
	if c.protocol == tcp {
		c.clientFlags, c.serverFlags = syn|psh|ack|fin, syn|psh|ack|fin
	}
}

// longest is the longest that is told at once: the longest active timeout, so that
// the parts of every router fit.
const longest = 30 * minute

// split cuts off what lies beyond the first half hour; rest is false where nothing
// does.
func (c *conversation) split() (first, remainder conversation, rest bool) {
	if c.duration <= longest {
		return *c, conversation{}, false
	}
	first, remainder = *c, *c
	share := float64(longest) / float64(c.duration)
	cut := func(v volume) (volume, volume) {
		a := volume{uint64(float64(v.packets) * share), uint64(float64(v.bytes) * share)}
		a.bytes = max(a.bytes, a.packets*leastPacket(c.protocol))
		a.bytes = min(a.bytes, v.bytes)
		return a, volume{v.packets - a.packets, v.bytes - a.bytes}
	}
	first.toServer, remainder.toServer = cut(c.toServer)
	first.toClient, remainder.toClient = cut(c.toClient)
	first.duration, first.goesOn = longest, true
	remainder.start, remainder.duration, remainder.begun = c.start+longest, c.duration-longest, true
	return first, remainder, true
}
