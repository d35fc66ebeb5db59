package netflow

import (
	"encoding/binary"
	"math"

	"tapwatch/flow"
)

// The time formats of RFC 7011 §6.1.7 to 6.1.10, each into Unix milliseconds; 0
// where the value means nothing.

// clock reads a time of the given length on the wire.
type clock func(r *rows, v uint64, length int) int64

func seconds(_ *rows, v uint64, _ int) int64 { return int64(uint32(v)) * 1000 }

const year2200 = 7258118400000

func milliseconds(_ *rows, v uint64, _ int) int64 {
	if v < year2200 {
		return int64(v)
	}
	return 0
}

// ntpTime reads dateTimeMicroseconds and dateTimeNanoseconds: an NTP timestamp,
// seconds since 1900 (or 2036, the next era) and a binary fraction.
func ntpTime(_ *rows, v uint64, length int) int64 {
	const to1970, era = 2208988800, int64(1) << 32
	if length != 8 || v == 0 {
		return 0
	}
	s, fraction := int64(v>>32), v&math.MaxUint32
	if s < to1970 {
		s += era
	}
	return (s-to1970)*1000 + int64(fraction*1000>>32)
}

// microsecondsBeforeExport reads elements 158 and 159.
func microsecondsBeforeExport(r *rows, v uint64, _ int) int64 {
	return r.message.exportAt - int64(uint32(v))/1000
}

// timeInto fills a column with times; one that a better element has said stays.
func timeInto(at func(*flow.Batch) *[]int64, read clock) fillers {
	return fillers{any: func(r *rows, data []byte, stride, length int) {
		to := (*at(r.b))[r.first:][:r.n]
		for i, p := 0, 0; i < len(to); i, p = i+1, p+stride {
			if to[i] == 0 {
				to[i] = read(r, number(data[p:p+length]), length)
			}
		}
	}}
}

// millisecondsInto is timeInto for milliseconds since 1970.
func millisecondsInto(at func(*flow.Batch) *[]int64) fillers {
	return fillers{
		eight: func(r *rows, data []byte, stride, _ int) {
			to := (*at(r.b))[r.first:][:r.n]
			for i, p := 0, 0; i < len(to); i, p = i+1, p+stride {
				if v := binary.BigEndian.Uint64(data[p:]); v < year2200 && to[i] == 0 {
					to[i] = int64(v)
				}
			}
		},
		any: timeInto(at, milliseconds).any,
	}
}

// uptimeInto fills a column with the times of milliseconds since the router started.
// The header of NetFlow tells the uptime at export; IPFIX says in options data when
// the router started (element 160).
func uptimeInto(at func(*flow.Batch) *[]int64) fillers {
	other := timeInto(at, func(r *rows, v uint64, _ int) int64 { return r.fromUptime(uint32(v)) }).any
	return fillers{
		four: func(r *rows, data []byte, stride, length int) {
			if !r.message.hasUptime {
				other(r, data, stride, length)
				return
			}
			exportAt, uptime := r.message.exportAt, r.message.uptime
			to := (*at(r.b))[r.first:][:r.n]
			for i, p := 0, 0; i < len(to); i, p = i+1, p+stride {
				if to[i] == 0 {
					to[i] = sinceBoot(exportAt, uptime, binary.BigEndian.Uint32(data[p:]))
				}
			}
		},
		any: other,
	}
}

// fromUptime turns milliseconds since the router started into a time; 0 where nobody
// said when that was.
func (r *rows) fromUptime(ms uint32) int64 {
	switch {
	case r.message.hasUptime:
		return sinceBoot(r.message.exportAt, r.message.uptime, ms)
	case r.domain.initAt != 0:
		return sinceInit(r.domain.initAt, r.message.exportAt, ms)
	}
	return 0
}

// settleTimes turns durations, and the uptimes of a record that says when the router
// started, into times where the record gives no absolute ones.
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

func (r *record) fromUptime(ms uint32) int64 {
	if r.initAt != 0 && !r.message.hasUptime {
		return sinceInit(r.initAt, r.message.exportAt, ms)
	}
	return r.rows.fromUptime(ms)
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
