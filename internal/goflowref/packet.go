package goflowref

// Packet is what a sampled header shows, of the outermost IP header.
type Packet struct {
	Values Values
	// Known are the columns that it shows, by 1<<Column.
	Known uint64
	// Length is the IP packet's by its header; 0 if there is none.
	Length int
	// Odd says that it contradicts itself, or ends within a header.
	Odd bool
}

// The kinds of header.
const (
	ethernetHeader = iota
	ipHeader
	mplsHeader
)

func (p *Packet) show(c Column, n uint64) {
	p.Values[c] = Number(n)
	p.Known |= 1 << c
}

// read reads a sampled header of a kind. What is cut off shows nothing.
func (p *Packet) read(kind int, v []byte) {
	switch kind {
	case ethernetHeader:
		p.ethernet(v)
	case mplsHeader:
		p.labels(v)
	default:
		p.ip(v)
	}
}

// ethernet reads IEEE 802.3 with tags of 802.1Q and 802.1ad; the
// outermost that is not a priority tag is the VLAN.
func (p *Packet) ethernet(v []byte) {
	if p.Odd = len(v) < 14; p.Odd {
		return
	}
	p.show(DstMAC, be(v[:6]))
	p.show(SrcMAC, be(v[6:12]))
	kind, v := be(v[12:14]), v[14:]
	for kind == 0x8100 || kind == 0x88a8 || kind == 0x9100 {
		if p.Odd = len(v) < 4; p.Odd {
			return
		}
		if p.Values[SrcVLAN] == (Value{}) {
			p.show(SrcVLAN, be(v[:2])&0xfff)
		}
		kind, v = be(v[2:4]), v[4:]
	}
	switch kind {
	case 0x0800, 0x86dd:
		if p.Odd = len(v) == 0 || v[0]>>4 != map[uint64]byte{0x0800: 4, 0x86dd: 6}[kind]; !p.Odd {
			p.ip(v)
		}
	case 0x8847, 0x8848:
		p.labels(v)
	case 0x8864: // PPPoE session (RFC 2516): a header of 6 bytes, then PPP's protocol
		if p.Odd = len(v) < 8; !p.Odd && (be(v[6:8]) == 0x21 || be(v[6:8]) == 0x57) {
			p.ip(v[8:])
		}
	}
}

// labels reads an MPLS label stack (RFC 3032).
func (p *Packet) labels(v []byte) {
	for i := 0; ; i++ {
		if p.Odd = len(v) < 4; p.Odd {
			return
		}
		if i < 3 {
			p.show(MPLSLabel1+Column(i), be(v[:3])>>4)
		}
		bottom := v[2]&1 != 0
		if v = v[4:]; bottom {
			p.ip(v)
			return
		}
	}
}

func (p *Packet) ip(v []byte) {
	switch {
	case len(v) > 0 && v[0]>>4 == 4:
		p.ipv4(v)
	case len(v) > 0 && v[0]>>4 == 6:
		p.ipv6(v)
	default:
		p.Odd = true
	}
}

// ipv4 reads the header of RFC 791.
func (p *Packet) ipv4(v []byte) {
	if p.Odd = len(v) < 20; p.Odd {
		return
	}
	header, length := int(v[0]&15)*4, int(be(v[2:4]))
	p.Odd = header < 20 || length < header || len(v) < header
	p.show(IPVersion, 4)
	p.show(TOS, uint64(v[1]))
	p.show(FragmentID, be(v[4:6]))
	p.show(FragmentOffset, be(v[6:8])&0x1fff)
	p.show(IPTTL, uint64(v[8]))
	p.show(Protocol, uint64(v[9]))
	p.show(SrcAddr, 0xffff<<32|be(v[12:16]))
	p.show(DstAddr, 0xffff<<32|be(v[16:20]))
	p.Length = length
	if be(v[6:8])&0x1fff == 0 && !p.Odd {
		p.transport(v[9], v[header:min(len(v), length)])
	}
}

// ipv6 reads the header of RFC 8200 and walks its extensions.
func (p *Packet) ipv6(v []byte) {
	if p.Odd = len(v) < 40; p.Odd {
		return
	}
	p.show(IPVersion, 6)
	p.show(TOS, be(v[:2])>>4&0xff)
	p.show(IPTTL, uint64(v[7]))
	p.Values[SrcAddr], p.Values[DstAddr] = Addr([16]byte(v[8:24])), Addr([16]byte(v[24:40]))
	p.Known |= 1<<SrcAddr | 1<<DstAddr
	p.Length = 40 + int(be(v[4:6]))
	next, v := v[6], v[40:]
	for {
		p.show(Protocol, uint64(next))
		switch next {
		case 0, 43, 44, 51, 60: // hop-by-hop, routing, fragment, authentication, destination
		default:
			p.transport(next, v)
			return
		}
		if p.Odd = len(v) < 8; p.Odd {
			return
		}
		size := 8 + 8*int(v[1])
		if next == 51 {
			size = 8 + 4*int(v[1])
		}
		if next == 44 {
			size = 8
			p.show(FragmentID, be(v[4:8]))
			p.show(FragmentOffset, be(v[2:4])>>3)
			if p.Values[FragmentOffset] != (Value{}) {
				p.show(Protocol, uint64(v[0]))
				return
			}
		}
		if next = v[0]; len(v) < size {
			p.Odd = true
			p.show(Protocol, uint64(next))
			return
		}
		v = v[size:]
	}
}

// transport reads ports, TCP flags, and ICMP's type and code.
func (p *Packet) transport(protocol uint8, v []byte) {
	const tcp, udp, sctp, icmp, icmp6 = 6, 17, 132, 1, 58
	least := map[uint8]int{tcp: 14, udp: 8, sctp: 12, icmp: 8, icmp6: 4}[protocol]
	p.Odd = len(v) < least || protocol == udp && be(v[4:6]) != 0 && be(v[4:6]) < 8
	switch protocol {
	case tcp, udp, sctp:
		if len(v) < 4 {
			return
		}
		p.show(SrcPort, be(v[:2]))
		p.show(DstPort, be(v[2:4]))
		if protocol == tcp && len(v) >= least {
			p.show(TCPFlags, be(v[12:14])&0xfff)
		}
	case icmp, icmp6:
		if len(v) >= 2 {
			p.show(ICMPType, uint64(v[0]))
			p.show(ICMPCode, uint64(v[1]))
		}
	}
}

// section reads the sampled header that a record carries: ipHeaderPacketSection (313)
// or dataLinkFrameSection (315).
func (r *Record) section() {
	for id, kind := range map[uint16]int{313: ipHeader, 315: ethernetHeader} {
		if v, ok := r.find(id); ok {
			p := new(Packet)
			p.read(kind, v)
			if r.Shown != nil {
				r.Flags |= OddHeader // both: which of them counts is nobody's rule
			}
			r.Shown = p
		}
	}
}

// FromHeader fills columns that no field says from the sampled header, if there is
// one, and says whether there was.
func (r *Record) FromHeader() bool {
	if r.Shown == nil {
		return false
	}
	p := r.Shown
	if p.Odd {
		r.Flags |= OddHeader
	}
	for c := range Columns {
		switch {
		case p.Known&(1<<c) == 0:
		case !r.Is(c):
			r.Values[c] = p.Values[c]
		case r.Values[c] != p.Values[c]:
			r.alternative(c, p.Values[c])
		}
	}
	return true
}
