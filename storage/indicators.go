package storage

import (
	"context"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"tapwatch/flow"
)

// indicatorRow is a row of table indicators.
type indicatorRow struct {
	List        string    `ch:"list"`
	Indicator   string    `ch:"indicator"`
	ChangedAt   time.Time `ch:"changed_at"`
	LearnedAt   time.Time `ch:"learned_at"`
	WithdrawnAt time.Time `ch:"withdrawn_at"`
	ValidFrom   time.Time `ch:"valid_from"`
	ValidUntil  time.Time `ch:"valid_until"`
	Description string    `ch:"description"`
	Actor       string    `ch:"actor"`
	Confidence  uint8     `ch:"confidence"`
}

// latestIndicators is the last word on each indicator of the lists.
const latestIndicators = `SELECT * FROM indicators
WHERE list IN {lists:Array(String)}
ORDER BY changed_at DESC
LIMIT 1 BY list, indicator`

// LearnIndicators notes in table indicators that the lists hold just these indicators at
// that time. learned counts those that it had not or whose validity has grown, withdrawn
// those that it had and that the lists hold no more. What is the same already is left
// alone, so that a list that is loaded again teaches nothing. Lists that are not named stay
// as they are.
func (s *Store) LearnIndicators(ctx context.Context, lists []string, held []flow.Indicator, at time.Time) (learned, withdrawn int, err error) {
	var stored []indicatorRow
	if err := s.Select(ctx, &stored, latestIndicators, clickhouse.Named("lists", lists)); err != nil {
		return 0, 0, fmt.Errorf("read the indicators of %d lists: %w", len(lists), err)
	}
	known := make(map[string]*indicatorRow, len(stored))
	for i := range stored {
		known[stored[i].List+":"+stored[i].Indicator] = &stored[i]
	}
	at = storedTime(at)
	var rows []indicatorRow
	for i := range held {
		row := rowOfIndicator(&held[i], at)
		old := known[held[i].Text()]
		delete(known, held[i].Text())
		switch {
		case old == nil || row.widens(old):
			learned++
		case row.says(old):
			continue
		default:
			row.LearnedAt = old.LearnedAt
		}
		rows = append(rows, row)
	}
	for _, old := range known {
		if old.isWithdrawn() {
			continue
		}
		withdrawn++
		gone := *old
		gone.ChangedAt, gone.WithdrawnAt = at, at
		rows = append(rows, gone)
	}
	if len(rows) == 0 {
		return 0, 0, nil
	}
	if err := insertRows(ctx, s, "indicators", rows, ""); err != nil {
		return 0, 0, fmt.Errorf("store %d indicators: %w", len(rows), err)
	}
	return learned, withdrawn, nil
}

// noTime stands for no time in a column.
var noTime = time.UnixMilli(0).UTC()

func rowOfIndicator(i *flow.Indicator, at time.Time) indicatorRow {
	r := indicatorRow{List: i.List, Indicator: i.Prefix.String(), ChangedAt: at, LearnedAt: at, WithdrawnAt: noTime,
		ValidFrom: noTime, ValidUntil: noTime, Description: i.Description, Actor: i.Actor, Confidence: i.Confidence}
	if !i.ValidFrom.IsZero() {
		r.ValidFrom = storedTime(i.ValidFrom)
	}
	if !i.ValidUntil.IsZero() {
		r.ValidUntil = storedTime(i.ValidUntil)
	}
	return r
}

func (r *indicatorRow) isWithdrawn() bool { return r.WithdrawnAt.UnixMilli() > 0 }

// widens tells whether r holds for flows that old, as it was stored, had not been
// matched with: it was withdrawn, had ended, or began later.
func (r *indicatorRow) widens(old *indicatorRow) bool {
	ended := old.ValidUntil.UnixMilli() > 0 && !old.ValidUntil.After(r.ChangedAt)
	longer := r.ValidUntil.UnixMilli() == 0 || r.ValidUntil.After(old.ValidUntil)
	return old.isWithdrawn() || ended && longer || r.ValidFrom.Before(old.ValidFrom)
}

// says tells whether r says what old does.
func (r *indicatorRow) says(old *indicatorRow) bool {
	return r.ValidFrom.Equal(old.ValidFrom) && r.ValidUntil.Equal(old.ValidUntil) && r.Description == old.Description &&
		r.Actor == old.Actor && r.Confidence == old.Confidence
}
