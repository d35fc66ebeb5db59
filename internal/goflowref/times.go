package goflowref

// instants are the elements that say when, the finest that flow can hold first.
var instants = map[Column][]struct {
	id   uint16
	size int
	read func(m *message, v []byte) int64
}{
	Start: {
		{152, 8, milliseconds}, // flowStartMilliseconds
		{154, 8, ntp},          // flowStartMicroseconds
		{156, 8, ntp},          // flowStartNanoseconds
		{150, 4, seconds},      // flowStartSeconds
		{158, 4, delta},        // flowStartDeltaMicroseconds
	},
	End: {
		{153, 8, milliseconds},
		{155, 8, ntp},
		{157, 8, ntp},
		{151, 4, seconds},
		{159, 4, delta},
		{323, 8, milliseconds}, // observationTimeMilliseconds and so on
		{324, 8, ntp},
		{325, 8, ntp},
		{322, 4, seconds},
	},
}

// Year2200 is when times begin that come from broken clocks alone.
const Year2200 = 7258118400000

func milliseconds(_ *message, v []byte) int64 { return int64(be(v)) }
func seconds(_ *message, v []byte) int64      { return int64(be(v)&0xffffffff) * 1000 }

// ntp reads a timestamp of RFC 7011 §6.1.9: seconds since 1900 and a fraction. Its
// first half ends in 2036 (RFC 4330 §3).
func ntp(_ *message, v []byte) int64 {
	n := be(v)
	if n == 0 {
		return 0
	}
	at := int64(n>>32) - 2208988800
	if at < 0 {
		at += 1 << 32
	}
	return at*1000 + int64(n&0xffffffff*1000>>32)
}

// delta reads microseconds before the export time.
func delta(m *message, v []byte) int64 { return m.exportAt - int64(be(v)&0xffffffff)/1000 }

// times says start and end. A time of 0 is none.
func (r *Record) times() {
	for c, elements := range instants {
		unset := false
		for _, e := range elements {
			v, ok := r.find(e.id)
			if !ok {
				continue
			}
			if len(v) > e.size || e.size == 8 && len(v) != 8 {
				r.Odd |= 1 << c
			}
			at := e.read(&r.message, v)
			unset = unset || at == 0
			r.oneOf(c, Number(uint64(at)))
		}
		id := map[Column]uint16{Start: 22, End: 21}[c] // flowStartSysUpTime, flowEndSysUpTime
		if v, ok := r.find(id); ok {
			if len(v) > 4 {
				r.Odd |= 1 << c
			}
			if at := r.uptime(be(v) & 0xffffffff); at != 0 {
				r.oneOf(c, Number(uint64(at)))
			}
		}
		if unset {
			r.alternative(c, Value{})
		}
	}
	r.lasting()
}

// uptime turns milliseconds since the router started into a time: NetFlow v9 says in
// its header how long it has been running, IPFIX in the record or in options data
// when it started (systemInitTimeMilliseconds, 160).
func (r *Record) uptime(ms uint64) int64 {
	if r.message.version == 9 {
		return r.message.exportAt - r.message.uptime + int64(ms)
	}
	init := r.message.initAt
	if v, ok := r.find(160); ok && be(v) != 0 && be(v) < Year2200 {
		init = int64(be(v))
	}
	if init == 0 || uint64(init) >= Year2200 {
		return 0 // nobody said, or a broken clock did
	}
	return init + int64(ms)
}

// lasting finds the end that is missing by flowDurationMilliseconds (161) or
// …Microseconds (162).
func (r *Record) lasting() {
	var ms int64
	odd := false
	if v, ok := r.find(162); ok {
		ms, odd = int64(be(v)/1000), len(v) > 4
	}
	if v, ok := r.find(161); ok {
		ms, odd = int64(be(v)), len(v) > 4
	}
	start, end := int64(r.number(Start)), int64(r.number(End))
	switch {
	case ms == 0:
	case start != 0 && end == 0:
		r.Values[End] = Number(uint64(start + ms))
		r.inherit(End, Start, odd)
	case end != 0 && start == 0:
		r.Values[Start] = Number(uint64(end - ms))
		r.inherit(Start, End, odd)
	}
}

// inherit makes a column that is worked out from another no surer than that is.
func (r *Record) inherit(c, from Column, odd bool) {
	if odd || r.Odd&(1<<from) != 0 || r.Other[from] != nil || r.number(from) >= Year2200 {
		r.Odd |= 1 << c
	}
}
