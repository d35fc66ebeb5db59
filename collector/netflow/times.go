package netflow

import "encoding/binary"

// The time formats of RFC 7011 §6.1.7 to 6.1.10, each into Unix milliseconds; 0
// where the value means nothing.

func seconds(_ *record, v []byte) int64 { return int64(uint32(number(v))) * 1000 }

func milliseconds(_ *record, v []byte) int64 {
	const year2200 = 7258118400000
	if n := number(v); n < year2200 {
		return int64(n)
	}
	return 0
}

// ntpTime reads dateTimeMicroseconds and dateTimeNanoseconds: an NTP timestamp,
// seconds since 1900 (or 2036, the next era) and a binary fraction.
func ntpTime(_ *record, v []byte) int64 {
	const to1970, era = 2208988800, int64(1) << 32
	if len(v) != 8 {
		return 0
	}
	s, fraction := int64(binary.BigEndian.Uint32(v)), uint64(binary.BigEndian.Uint32(v[4:]))
	if s == 0 && fraction == 0 {
		return 0
	}
	if s < to1970 {
		s += era
	}
	return (s-to1970)*1000 + int64(fraction*1000>>32)
}

// microsecondsBeforeExport reads elements 158 and 159.
func microsecondsBeforeExport(r *record, v []byte) int64 {
	return r.message.exportAt - int64(uint32(number(v)))/1000
}

func startAt(read func(*record, []byte) int64) func(*record, []byte) {
	return func(r *record, v []byte) { r.b.StartAt[r.row] = read(r, v) }
}

func endAt(read func(*record, []byte) int64) func(*record, []byte) {
	return func(r *record, v []byte) { r.b.EndAt[r.row] = read(r, v) }
}

// settleTimes turns uptimes and durations into times where the record gives no
// absolute ones.
func (r *record) settleTimes() {
	start, end := &r.b.StartAt[r.row], &r.b.EndAt[r.row]
	if r.hasStartUptime && *start == 0 {
		*start = r.fromUptime(r.startUptime)
	}
	// An observation time (323) is weaker than the end by uptime, but no exporter
	// is known to send both.
	if r.hasEndUptime && *end == 0 {
		*end = r.fromUptime(r.endUptime)
	}
	switch {
	case r.duration > 0 && *start != 0 && *end == 0:
		*end = *start + r.duration
	case r.duration > 0 && *end != 0 && *start == 0:
		*start = *end - r.duration
	}
}

// fromUptime turns milliseconds since the router started into a time. NetFlow
// headers tell the uptime at export; IPFIX says when the router started, in the
// record or in options data (element 160).
func (r *record) fromUptime(ms uint32) int64 {
	if r.message.hasUptime {
		return sinceBoot(r.message.exportAt, r.message.uptime, ms)
	}
	if r.initAt != 0 {
		return sinceInit(r.initAt, r.message.exportAt, ms)
	}
	if init := r.session.initAt[r.message.domain]; init != 0 {
		return sinceInit(init, r.message.exportAt, ms)
	}
	return 0
}

// sinceInit turns an uptime into a time, given when the router started. The uptime
// wraps every 49.7 days (2^32 ms); it has done so as often as brings the time
// nearest to the export's.
func sinceInit(initAt, exportAt int64, ms uint32) int64 {
	const wrap = int64(1) << 32
	at := initAt + int64(ms)
	return at + max(0, (exportAt-at+wrap/2)/wrap)*wrap
}

// sinceBoot turns an uptime into a time, given the export time and the uptime at
// export. Both uptimes wrap every 49.7 days; their difference survives that.
func sinceBoot(exportAt int64, atExport, ms uint32) int64 {
	return exportAt - int64(int32(atExport-ms))
}
