package pcap

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
)

// Next gives the next UDP datagram; io.EOF at the end. Any other error names the
// file and what is wrong with it; what came before it is good.
func (c *File) Next() (Datagram, error) {
	for {
		data, info, err := c.packet()
		if err != nil {
			return Datagram{}, err
		}
		if d, ok := c.datagram(data, info.Timestamp); ok {
			return d, nil
		}
	}
}

// packet reads one packet of the file.
func (c *File) packet() (data []byte, info gopacket.CaptureInfo, err error) {
	// A broken pcapng file must not take the program down.
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("%s: is broken after %d packets: %v", c.path, c.packets, v)
		}
	}()
	data, info, err = c.next()
	switch {
	case err == nil:
		c.packets++
		return data, info, nil
	case errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF):
		return nil, info, io.EOF
	case errors.Is(err, io.ErrUnexpectedEOF):
		return nil, info, fmt.Errorf("%s: is truncated: it ends within packet %d", c.path, c.packets+1)
	}
	return nil, info, fmt.Errorf("%s: is broken after %d packets: %w", c.path, c.packets, err)
}

// fragmentLifetime is how long a fragment waits for the rest of its packet.
const fragmentLifetime = 30 * time.Second

// datagram finds the UDP datagram in a packet, and counts the packet if there is
// none.
func (c *File) datagram(data []byte, at time.Time) (Datagram, bool) {
	lazily := gopacket.DecodeOptions{Lazy: true, NoCopy: true}
	p := gopacket.NewPacket(data, c.link, lazily)
	from, to, udp, ok := c.network(p, at)
	if !ok {
		return Datagram{}, false
	}
	if udp == nil {
		c.skipped.NotUDP++
		return Datagram{}, false
	}
	payload := udp.Payload
	if int(udp.Length) > len(payload)+8 {
		c.skipped.Cut++
	}
	return Datagram{
		Time:    at,
		From:    netip.AddrPortFrom(from, uint16(udp.SrcPort)),
		To:      netip.AddrPortFrom(to, uint16(udp.DstPort)),
		Payload: payload,
	}, true
}

// network finds the outermost IP header and the UDP header in it; ok is false for
// a fragment, which it has kept or counted.
func (c *File) network(p gopacket.Packet, at time.Time) (from, to netip.Addr, udp *layers.UDP, ok bool) {
	switch ip := p.NetworkLayer().(type) {
	case *layers.IPv4:
		whole, err := c.defrag.DefragIPv4WithTimestamp(ip, at)
		if err != nil {
			c.skipped.Fragments++
			return from, to, nil, false
		}
		if whole == nil {
			c.defrag.DiscardOlderThan(at.Add(-fragmentLifetime))
			return from, to, nil, false
		}
		from, _ = netip.AddrFromSlice(ip.SrcIP)
		to, _ = netip.AddrFromSlice(ip.DstIP)
		return from.Unmap(), to.Unmap(), udpOf(whole.Protocol, whole.Payload), true
	case *layers.IPv6:
		if p.Layer(layers.LayerTypeIPv6Fragment) != nil {
			c.skipped.Fragments++
			return from, to, nil, false
		}
		from, _ = netip.AddrFromSlice(ip.SrcIP)
		to, _ = netip.AddrFromSlice(ip.DstIP)
		udp, _ = p.TransportLayer().(*layers.UDP)
		return from, to, udp, true
	}
	return from, to, nil, true
}

func udpOf(protocol layers.IPProtocol, data []byte) *layers.UDP {
	var udp layers.UDP
	if protocol != layers.IPProtocolUDP || udp.DecodeFromBytes(data, gopacket.NilDecodeFeedback) != nil {
		return nil
	}
	return &udp
}
