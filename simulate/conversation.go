package simulate

import (
	"net/netip"
	"time"
)

// maxConversation is the longest a conversation may last; what lasts longer is a
// series of parts. It bounds how far back records have to be looked for.
const maxConversation = 2 * time.Minute

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

// The protocols of the simulated traffic.
const (
	protocolICMP = 1
	protocolTCP  = 6
	protocolUDP  = 17
	protocolSCTP = 132
)

// conversation is what two ends say to one another, or a part of it. Times are
// Unix milliseconds.
type conversation struct {
	start, duration        int64
	client, server         netip.Addr
	clientPort, serverPort uint16
	protocol               uint8
	tos                    uint8
	icmpType               uint8 // of the client's packets; the answer's is 0
	toServer, toClient     volume
	// clientFlags and serverFlags are all TCP flags that the end sends.
	clientFlags, serverFlags uint8
	// continues says that more follows: routers export it at their active timeout.
	continues bool
	// intrusion is the ID of the intrusion that it belongs to; empty background.
	intrusion string
}

// established sets the flags of a TCP conversation that opens and closes properly.
func (c *conversation) established() { c.flags(true, true) }

// flags sets the TCP flags of a part of a conversation: the first opens, the last
// closes.
func (c *conversation) flags(opens, closes bool) {
	if c.protocol != protocolTCP {
		return
	}
	flags := uint8(psh | ack)
	if opens {
		flags |= syn
	}
	if closes {
		flags |= fin
	}
	c.clientFlags, c.serverFlags = flags, flags
}

// leastPacket is the length of the shortest IP packet of the conversation.
func (c *conversation) leastPacket() uint64 {
	least := uint64(20)
	if c.client.Is6() {
		least = 40
	}
	switch c.protocol {
	case protocolTCP:
		return least + 20
	case protocolSCTP:
		return least + 28
	default:
		return least + 8
	}
}

// traffic makes a volume of that many bytes in packets of about that length, none
// shorter than the protocol allows.
func (c *conversation) traffic(bytes, packetBytes float64) volume {
	least := c.leastPacket()
	v := volume{bytes: max(uint64(bytes), least)}
	v.packets = max(1, uint64(bytes/packetBytes+0.5))
	v.packets = min(v.packets, v.bytes/least)
	v.packets = max(v.packets, (v.bytes+maxPacket-1)/maxPacket)
	return v
}

// maxPacket is the longest IP packet.
const maxPacket = 1500
