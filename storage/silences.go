package storage

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"tapwatch/alert"
)

// silenceRow is a row of table silences.
type silenceRow struct {
	ID        string    `ch:"id"`
	Detector  string    `ch:"detector"`
	Rule      string    `ch:"rule"`
	Asset     string    `ch:"asset"`
	Peer      string    `ch:"peer"`
	Port      uint16    `ch:"port"`
	Reason    string    `ch:"reason"`
	Owner     string    `ch:"owner"`
	CreatedAt time.Time `ch:"created_at"`
	ExpiresAt time.Time `ch:"expires_at"`
	EndedAt   time.Time `ch:"ended_at"`
	Version   uint64    `ch:"version"`
}

// SaveSilence stores a silence, or a change of it: the latest CreatedAt or EndedAt counts.
func (s *Store) SaveSilence(ctx context.Context, a alert.Silence) error {
	row := silenceRow{
		ID: a.ID, Detector: a.Detector, Rule: a.Rule, Asset: a.Asset, Port: a.Port, Reason: a.Reason, Owner: a.Owner,
		CreatedAt: storedTime(a.CreatedAt), ExpiresAt: storedTime(a.ExpiresAt), EndedAt: storedTime(a.EndedAt),
		Version: entryVersion(a.CreatedAt, a.EndedAt),
	}
	if a.Peer.IsValid() {
		row.Peer = a.Peer.String()
	}
	if err := insertRows(ctx, s, "silences", []silenceRow{row}, ""); err != nil {
		return fmt.Errorf("store silence %s: %w", a.ID, err)
	}
	return nil
}

// entryVersion is the version of what people enter and end.
func entryVersion(created, ended time.Time) uint64 {
	if ended.IsZero() {
		return uint64(created.UnixMicro())
	}
	return uint64(max(ended.UnixMicro(), created.UnixMicro()+1))
}

// maxEntries is how many silences or approvals are read.
const maxEntries = 10_000

// Silences gives the silences of which something was in force at or after since, those
// that somebody ended too, the latest made first.
func (s *Store) Silences(ctx context.Context, since time.Time) ([]alert.Silence, error) {
	var rows []silenceRow
	err := s.Select(ctx, &rows, fmt.Sprintf(`SELECT * FROM silences FINAL
		WHERE expires_at > fromUnixTimestamp64Milli({since:Int64}, 'UTC') ORDER BY created_at DESC, id LIMIT %d`, maxEntries),
		clickhouse.Named("since", since.UnixMilli()))
	if err != nil {
		return nil, fmt.Errorf("read the silences: %w", err)
	}
	all := make([]alert.Silence, len(rows))
	for i, r := range rows {
		all[i] = alert.Silence{
			ID: r.ID, Detector: r.Detector, Rule: r.Rule, Asset: r.Asset, Port: r.Port, Reason: r.Reason, Owner: r.Owner,
			CreatedAt: readTime(r.CreatedAt), ExpiresAt: readTime(r.ExpiresAt), EndedAt: readTime(r.EndedAt),
		}
		if r.Peer != "" {
			if all[i].Peer, err = netip.ParsePrefix(r.Peer); err != nil {
				return nil, fmt.Errorf("read silence %s: %w", r.ID, err)
			}
		}
	}
	return all, nil
}
