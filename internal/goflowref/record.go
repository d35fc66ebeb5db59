package goflowref

import "slices"

// unspecified4 is 0.0.0.0.
var unspecified4 = Value{0, 0xffff << 32}

// none says whether the value stands for nothing: templates of both families fill the
// fields of the one that does not apply with zeros.
func (v Value) none() bool { return v == Value{} || v == unspecified4 }

// fill says all columns that the fields say exactly.
func (r *Record) fill() {
	seen := make(map[uint16]bool, len(r.Fields))
	for _, f := range r.Fields {
		e, ok := exact[f.ID]
		if !ok || f.PEN != 0 || len(f.Value) == 0 || seen[f.ID] {
			continue
		}
		seen[f.ID] = true
		v, good := e.read(e.column, f.Value)
		if !good {
			r.Odd |= 1 << e.column
		}
		r.oneOf(e.column, v)
	}
	r.icmp()
	r.times()
	r.Values[Sampling] = Number(uint64(r.interval()))
	r.version()
	if r.Odd&(1<<SrcAddr|1<<DstAddr) != 0 {
		r.Odd |= 1 << IPVersion
	}
	r.section()
}

// oneOf says a column that another field (of the other family) may say too: what
// stands for nothing gives way.
func (r *Record) oneOf(c Column, v Value) {
	switch was := r.Values[c]; {
	case !r.Is(c), was == Value{}, was == unspecified4 && !v.none():
		r.set(c, v)
	case !v.none() && v != was:
		r.alternative(c, v)
	}
}

// version is the IP version of an address, 0 of none.
func (v Value) version() uint64 {
	switch {
	case v == Value{}:
		return 0
	case v[0] == 0 && v[1]>>32 == 0xffff:
		return 4
	}
	return 6
}

// icmp reads the elements of ICMP and ICMPv6.
func (r *Record) icmp() {
	say := func(c Column, n uint64, length, most int) {
		if length > most {
			r.Odd |= 1 << c
		}
		if r.Is(c) && r.Values[c] != Number(n) {
			// Zeros count here too: they are a type and a code.
			r.alternative(c, r.Values[c])
			r.alternative(c, Number(n))
		}
		r.oneOf(c, Number(n))
	}
	for _, id := range []uint16{32, 139} { // icmpTypeCodeIPv4, icmpTypeCodeIPv6
		if v, ok := r.find(id); ok {
			say(ICMPType, be(v)>>8&0xff, len(v), 2)
			say(ICMPCode, be(v)&0xff, len(v), 2)
		}
	}
	for i, id := range []uint16{176, 177, 178, 179} { // icmpTypeIPv4, icmpCodeIPv4, …IPv6
		if v, ok := r.find(id); ok {
			say([]Column{ICMPType, ICMPCode}[i%2], be(v)&0xff, len(v), 1)
		}
	}
}

// Nearly fills columns that no field says exactly from what comes nearest, and says
// whether there was one.
func (r *Record) Nearly() (changed bool) {
	for c, candidates := range nearly {
		said := r.Is(c)
		for _, e := range candidates {
			v, ok := r.find(e.id)
			if e.kind == address {
				_, said = r.find(of(c, e.size))
			}
			if !ok || said {
				continue
			}
			value, good := e.read(c, v)
			if !good {
				r.Odd |= 1 << c
			}
			r.oneOf(c, value)
			said, changed = true, true
		}
	}
	if v, ok := r.find(195); ok && !r.Is(TOS) { // ipDiffServCodePoint: the upper six bits
		r.set(TOS, Number(be(v)<<2&0xff))
		changed = true
	}
	r.version()
	return changed
}

// version finds the IP version by the addresses where ipVersion does not say it.
func (r *Record) version() {
	if v, _ := r.find(60); be(v)&0xff == 0 {
		r.Values[IPVersion] = Number(max(r.Values[SrcAddr].version(), r.Values[DstAddr].version()))
	}
}

// Back gives the way back of a biflow (RFC 5103): the ends swapped, and the reverse
// fields as if they were forward ones. ok is false if nothing was counted that way.
// It is for a record whose Values are settled.
func (r *Record) Back(settle func(*Record)) (back Record, ok bool) {
	const reverse = 29305 // RFC 5103 §6.1
	// Cisco and others count the way back without the enterprise number.
	alone := map[uint16]uint16{232: 231, 299: 298} // responderOctets, responderPackets
	for _, f := range r.Fields {
		if of, ok := alone[f.ID]; ok && f.PEN == 0 {
			back.Fields = append(back.Fields, Field{ID: of, Value: f.Value})
		} else if f.PEN == reverse {
			back.Fields = append(back.Fields, Field{ID: f.ID, Value: f.Value})
		}
	}
	if len(back.Fields) == 0 {
		return back, false
	}
	back.message, back.Flags = r.message, r.Flags&^OddHeader|Reverse
	back.fill()
	settle(&back)
	if back.number(Bytes) == 0 && back.number(Packets) == 0 && !back.oddCount() {
		return back, false
	}
	for c, from := range mirror {
		if back.Values[c] != (Value{}) {
			continue
		}
		back.Values[c] = r.Values[from]
		for _, v := range r.Other[from] {
			back.alternative(c, v)
		}
		if r.Odd&(1<<from) != 0 {
			back.Odd |= 1 << c
		}
	}
	return back, true
}

// oddCount says whether a count is not 0 in a field that is too long to be one.
func (r *Record) oddCount() bool {
	return r.Odd&(1<<Bytes|1<<Packets) != 0 && slices.ContainsFunc(r.Fields, func(f Field) bool {
		return len(f.Value) > 8 && slices.ContainsFunc(f.Value, func(c byte) bool { return c != 0 })
	})
}

// mirror says where the way back takes from what it does not say itself.
var mirror = map[Column]Column{
	Export: Export, Domain: Domain, Sampling: Sampling, Protocol: Protocol, IPVersion: IPVersion,
	Start: Start, End: End, EndReason: EndReason,
	SrcAddr: DstAddr, DstAddr: SrcAddr, SrcPort: DstPort, DstPort: SrcPort, SrcMask: DstMask, DstMask: SrcMask,
	SrcAS: DstAS, DstAS: SrcAS, SrcMAC: DstMAC, DstMAC: SrcMAC, SrcVLAN: DstVLAN, DstVLAN: SrcVLAN,
	InIf: OutIf, OutIf: InIf, InVRF: OutVRF, OutVRF: InVRF,
}
