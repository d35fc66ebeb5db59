package simulate

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/netip"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"
)

// exportPort is the source port of datagrams in a capture.
const exportPort = 50000

// snapLength is the longest packet a capture can hold.
const snapLength = 65535

// WritePcap writes a capture of the datagrams that the routers send in duration of
// stream time, as a collector at target would see them. Target may be any IPv4
// address and port, for nothing is sent. It ends early, with an error, when ctx
// ends.
func (n *Network) WritePcap(ctx context.Context, w io.Writer, target netip.AddrPort, duration time.Duration) (Stats, error) {
	if duration <= 0 || !target.Addr().Is4() {
		return Stats{}, fmt.Errorf("simulate: a capture needs a duration and an IPv4 target, not %s and %s", duration, target)
	}
	buffered := bufio.NewWriter(w)
	c := &capture{network: n, target: target, pcap: pcapgo.NewWriterNanos(buffered), buf: gopacket.NewSerializeBuffer()}
	if err := c.pcap.WriteFileHeader(snapLength, layers.LinkTypeEthernet); err != nil {
		return Stats{}, fmt.Errorf("write capture: %w", err)
	}
	d, err := newDriver(n, c)
	if err != nil {
		return Stats{}, err
	}
	c.stats = &d.stats
	if err := d.run(ctx, duration); err != nil {
		return d.stats, err
	}
	if err := buffered.Flush(); err != nil {
		return d.stats, fmt.Errorf("write capture: %w", err)
	}
	return d.stats, nil
}

// capture is the outlet of WritePcap. It waits for nobody.
type capture struct {
	network *Network
	target  netip.AddrPort
	pcap    *pcapgo.Writer
	buf     gopacket.SerializeBuffer
	stats   *Stats
	packets uint16
}

func (c *capture) wait(context.Context, time.Time) error { return nil }

func (c *capture) send(router int, at time.Time, datagram []byte) error {
	c.packets++
	ethernet := &layers.Ethernet{
		SrcMAC: []byte{2, 0, 0, 0, 1, byte(router)}, DstMAC: []byte{2, 0, 0, 0, 2, 0}, EthernetType: layers.EthernetTypeIPv4,
	}
	ip := &layers.IPv4{
		Version: 4, TTL: 63, Id: c.packets, Protocol: layers.IPProtocolUDP,
		SrcIP: c.network.routers[router].Address.AsSlice(), DstIP: c.target.Addr().AsSlice(),
	}
	udp := &layers.UDP{SrcPort: exportPort, DstPort: layers.UDPPort(c.target.Port())}
	if err := udp.SetNetworkLayerForChecksum(ip); err != nil {
		return err
	}
	options := gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}
	if err := gopacket.SerializeLayers(c.buf, options, ethernet, ip, udp, gopacket.Payload(datagram)); err != nil {
		return fmt.Errorf("frame datagram: %w", err)
	}
	frame := c.buf.Bytes()
	info := gopacket.CaptureInfo{Timestamp: at, CaptureLength: len(frame), Length: len(frame)}
	if err := c.pcap.WritePacket(info, frame); err != nil {
		return fmt.Errorf("write capture: %w", err)
	}
	c.stats.Datagrams++
	c.stats.DatagramBytes += uint64(len(datagram))
	return nil
}
