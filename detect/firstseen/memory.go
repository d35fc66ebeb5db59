package firstseen

import (
	"context"
	_ "embed"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"tapwatch/detect"
)

//go:embed zones.sql
var zonesSQL string

//go:embed pairs.sql
var pairsSQL string

//go:embed relations.sql
var relationsSQL string

// memory keeps what the hours of the history say, so that each is read once, and not
// before it matters. It is a memory of what no longer changes: emptied, it fills with
// the same.
type memory struct {
	mu sync.Mutex
	// stored tells whether the hours are still those that were read.
	stored detect.Memory
	// since is the first hour that is not forgotten.
	since     int32
	zones     sightings[string]
	pairs     sightings[key]
	relations sightings[relation]
}

// recall drops what is not stored any more, or was too long ago, before a window is
// judged by the hours [since, end).
func (m *memory) recall(ctx context.Context, h detect.History, since, end int32) error {
	read := max(m.zones.to, m.pairs.to, m.relations.to)
	changed, err := m.stored.Changed(ctx, h, timeOf(min(m.since, since)), timeOf(read), timeOf(max(end, read)))
	if err != nil {
		return err
	}
	switch {
	case changed || since < m.since || since > read:
		m.since = since
		m.zones.begin(since)
		m.pairs.begin(since)
		m.relations.begin(since)
	case m.since+chunk < since:
		m.since = since
		m.zones.forget(since)
		m.pairs.forget(since)
		m.relations.forget(since)
	}
	return nil
}

// scene is one window being judged by the memory, which is locked meanwhile.
type scene struct {
	*Detector
	h detect.History
	w detect.Window
	// The history is the hours [since, start), the window [start, end).
	since, start, end int32
}

// warm are the zones that have history for long enough, and since when.
func (s *scene) warm(ctx context.Context) (map[string]time.Time, error) {
	old := hourOf(s.w.Start.Add(-s.cfg.WarmUp).Add(time.Nanosecond)) // the first that is too young
	zones := &s.memory.zones
	err := zones.read(ctx, old, s.start, func(ctx context.Context, from, to time.Time, see func(string, time.Time)) error {
		return readZones(ctx, s.h, from, to, see)
	})
	if err != nil {
		return nil, err
	}
	warm := map[string]time.Time{}
	for name, h := range zones.seen {
		if first, ok := h.from(s.since); ok && first < old {
			warm[name] = timeOf(first)
		}
	}
	return warm, nil
}

// readZones tells in which hours zones have history, at either end.
func readZones(ctx context.Context, h detect.History, from, to time.Time, see func(zone string, at time.Time)) error {
	var rows []struct {
		At   time.Time `ch:"at"`
		Zone string    `ch:"zone"`
	}
	if err := h.Select(ctx, &rows, zonesSQL, detect.Param("since", from), detect.Param("end", to)); err != nil {
		return fmt.Errorf("read since when zones have history: %w", err)
	}
	for i := range rows {
		see(rows[i].Zone, rows[i].At)
	}
	return nil
}

// key is what makes a contact a known one.
type key struct {
	asset    string
	peer     netip.Addr
	protocol uint8
	port     uint16
	serves   bool
}

// unknown are the keys that were established in the window and not before.
func (s *scene) unknown(ctx context.Context) (map[key]bool, error) {
	pairs := &s.memory.pairs
	if err := pairs.read(ctx, s.end, s.end, s.readPairs); err != nil {
		return nil, err
	}
	unknown := map[key]bool{}
	for k, h := range pairs.seen {
		if first, ok := h.from(s.since); ok && first >= s.start && first < s.end {
			unknown[k] = true
		}
	}
	return unknown, nil
}

func (s *scene) readPairs(ctx context.Context, from, to time.Time, see func(key, time.Time)) error {
	var rows []struct {
		At          time.Time  `ch:"at"`
		Asset       string     `ch:"asset"`
		PeerAddr    netip.Addr `ch:"peer_addr"`
		Protocol    uint8      `ch:"protocol"`
		Port        uint16     `ch:"port"`
		AssetServes bool       `ch:"asset_serves"`
	}
	if err := s.h.Select(ctx, &rows, pairsSQL, detect.Param("since", from), detect.Param("end", to)); err != nil {
		return fmt.Errorf("read who had to do with whom: %w", err)
	}
	for i := range rows {
		r := &rows[i]
		see(key{r.Asset, r.PeerAddr.Unmap(), r.Protocol, r.Port, r.AssetServes}, r.At)
	}
	return nil
}

// zonesOf are what each of the contacts' zones, which are warm, has had to do with whom.
func (s *scene) zonesOf(ctx context.Context, contacts []*contact, warm map[string]time.Time) (map[string]*zone, error) {
	relations := &s.memory.relations
	if err := relations.read(ctx, s.start, s.start, s.readRelations); err != nil {
		return nil, err
	}
	zones := map[string]*zone{}
	for _, c := range contacts {
		if zones[c.AssetZone] == nil {
			zones[c.AssetZone] = newZone(warm[c.AssetZone])
		}
	}
	for r, h := range relations.seen {
		z := zones[r.zone]
		if z == nil {
			continue
		}
		if first, ok := h.from(s.since); ok && first < s.start {
			z.add(r, timeOf(first))
		}
	}
	return zones, nil
}

func (s *scene) readRelations(ctx context.Context, from, to time.Time, see func(relation, time.Time)) error {
	var rows []relationRow
	if err := s.h.Select(ctx, &rows, relationsSQL, detect.Param("since", from), detect.Param("end", to)); err != nil {
		return fmt.Errorf("read the relations of zones: %w", err)
	}
	for i := range rows {
		see(rows[i].relation(), rows[i].At)
	}
	return nil
}
