package intel

import (
	"context"
	_ "embed"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"tapwatch/detect"
)

//go:embed learned.sql
var learnedSQL string

//go:embed peers.sql
var peersSQL string

// rounds is how often it is looked for indicators that came new. They are looked for at
// full rounds of stream time, so that how windows are cut does not matter.
const rounds = 5 * time.Minute

// settles is how long after it came an indicator is stored for certain: see
// enrich/intel.Settles.
const settles = time.Minute

// round gives the full rounds that end in the window: what came new in [from, to) less
// settles is looked for in it.
func round(w detect.Window) (from, to time.Time, due bool) {
	from, to = w.Start.Truncate(rounds), w.End.Truncate(rounds)
	return from, to, from.Before(to)
}

// fresh is an indicator for which the past is to be matched, from and until when.
type fresh struct {
	*entryRow
	prefix      netip.Prefix
	from, until time.Time
}

// learned reads the indicators that came new in the rounds.
func (d *Detector) learned(ctx context.Context, h detect.History, from, to time.Time) ([]fresh, error) {
	var rows []entryRow
	start, end := from.Add(-settles), to.Add(-settles)
	if nothing, err := d.lull.covers(ctx, h, start, end); err != nil || nothing {
		return nil, err
	}
	if err := h.Select(ctx, &rows, learnedSQL, detect.Param("start", start), detect.Param("end", end)); err != nil {
		return nil, fmt.Errorf("look for indicators that came new: %w", err)
	}
	var all []fresh
	for i := range rows {
		row := &rows[i]
		if !row.ChangedAt.Equal(row.LearnedAt) || row.LearnedAt.Before(start) {
			continue
		}
		prefix, err := netip.ParsePrefix(row.Indicator)
		if err != nil {
			return nil, fmt.Errorf("read indicator %s: %w", row.text(), err)
		}
		f := fresh{entryRow: row, prefix: prefix, from: row.LearnedAt.Add(-d.cfg.Lookback), until: to}
		var before *entryRow
		if i > 0 && rows[i-1].text() == row.text() {
			before = &rows[i-1]
		}
		if f.narrow(before); f.from.Before(f.until) {
			all = append(all, f)
		}
	}
	return all, nil
}

// set tells whether a column holds a moment.
func set(t time.Time) bool { return t.UnixMilli() > 0 }

// narrow leaves of the past the time for which the indicator holds, and which it had not
// been matched with already as it was before, if it was.
func (f *fresh) narrow(before *entryRow) {
	if f.from.Before(f.ValidFrom) {
		f.from = f.ValidFrom
	}
	if set(f.ValidUntil) && f.ValidUntil.Before(f.until) {
		f.until = f.ValidUntil
	}
	if before == nil {
		return
	}
	var ended time.Time // when it stopped to hold, as it was
	switch {
	case set(before.WithdrawnAt):
		ended = before.WithdrawnAt
	case set(before.ValidUntil) && !before.ValidUntil.After(f.LearnedAt):
		ended = before.ValidUntil
	}
	switch earlier := f.ValidFrom.Before(before.ValidFrom); {
	case earlier && ended.IsZero():
		if before.ValidFrom.Before(f.until) {
			f.until = before.ValidFrom
		}
	case earlier: // both ends are open: the middle is matched again
	case ended.IsZero():
		f.until = f.from // another tapwatch learned it as well
	case f.from.Before(ended):
		f.from = ended
	}
}

// pair is a system and an address that it had to do with.
type pair struct {
	Asset string `ch:"asset"`
	Peer  string `ch:"peer"` // as ClickHouse writes it
}

// mostNetworks is how many prefixes are asked for at once.
const mostNetworks = 2000

// pairs gives who ever had to do with the indicators, those of one length after the
// other.
func pairs(ctx context.Context, h detect.History, indicators []fresh) ([]pair, error) {
	byBits := map[int][]string{}
	for _, i := range indicators {
		bits := i.prefix.Bits()
		if i.prefix.Addr().Is4() {
			bits += 96
		}
		first := i.prefix.Addr().As16()
		byBits[bits] = append(byBits[bits], netip.AddrFrom16(first).String())
	}
	var lengths []int
	for bits := range byBits {
		lengths = append(lengths, bits)
	}
	slices.Sort(lengths)
	var all []pair
	for _, bits := range lengths {
		for networks := range slices.Chunk(byBits[bits], mostNetworks) {
			var some []pair
			if err := h.Select(ctx, &some, peersSQL, detect.Param("bits", uint8(bits)), detect.Param("networks", networks)); err != nil {
				return nil, fmt.Errorf("look for systems that had to do with listed addresses: %w", err)
			}
			all = append(all, some...)
		}
	}
	slices.SortFunc(all, func(a, b pair) int { return strings.Compare(a.Peer+" "+a.Asset, b.Peer+" "+b.Asset) })
	return slices.Compact(all), nil
}
