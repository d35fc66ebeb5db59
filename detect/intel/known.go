package intel

import (
	"context"
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"time"

	"tapwatch/detect"
)

//go:embed known.sql
var knownSQL string

// entryRow is what a list said of an indicator since changed_at.
type entryRow struct {
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

// text is the indicator as flows carry it: "list:prefix".
func (e *entryRow) text() string { return e.List + ":" + e.Indicator }

// told says in words what the list tells of the indicator; empty where nothing.
func (e *entryRow) told() string {
	var parts []string
	if e.Description != "" {
		parts = append(parts, fmt.Sprintf("%q", e.Description))
	}
	if e.Actor != "" {
		parts = append(parts, "of "+e.Actor)
	}
	if e.Confidence > 0 {
		parts = append(parts, fmt.Sprintf("with a confidence of %d of 100", e.Confidence))
	}
	return strings.Join(parts, ", ")
}

// entries are what lists say, by "list:prefix".
type entries map[string]*entryRow

// of gives what is known of an indicator, the zero row where nothing is.
func (e entries) of(indicator string) *entryRow {
	if found := e[indicator]; found != nil {
		return found
	}
	return &entryRow{List: listName(indicator), Indicator: entry(indicator)}
}

// known reads what lists said of the indicators before that moment.
func known(ctx context.Context, h detect.History, indicators []string, before time.Time) (entries, error) {
	found := entries{}
	if len(indicators) == 0 {
		return found, nil
	}
	lists, prefixes := map[string]bool{}, map[string]bool{}
	for _, i := range indicators {
		lists[listName(i)], prefixes[entry(i)] = true, true
	}
	var rows []entryRow
	err := h.Select(ctx, &rows, knownSQL, detect.Param("lists", sorted(lists)), detect.Param("indicators", sorted(prefixes)), detect.Param("before", before))
	if err != nil {
		return nil, fmt.Errorf("read what intelligence lists say: %w", err)
	}
	for i := range rows {
		found[rows[i].text()] = &rows[i]
	}
	return found, nil
}

func sorted(set map[string]bool) []string {
	all := make([]string, 0, len(set))
	for text := range set {
		all = append(all, text)
	}
	slices.Sort(all)
	return all
}
