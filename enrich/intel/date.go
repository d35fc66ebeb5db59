package intel

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// The forms in which lists write moments, apart from seconds and milliseconds since
// 1970. Those without a time zone are UTC.
var dateForms = []string{time.RFC3339Nano, "2006-01-02 15:04:05.999999999", "2006-01-02T15:04:05.999999999", "2006-01-02 15:04", time.DateOnly, "2006/01/02"}

// parseDate reads a moment; zero for an empty text. A day alone is its beginning, or
// where end is set its end.
func parseDate(text string, end bool) (time.Time, error) {
	text = strings.TrimSuffix(strings.TrimSpace(text), " UTC")
	switch strings.ToLower(text) {
	case "", "0", "null", "none", "-", "n/a":
		return time.Time{}, nil
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		switch {
		case n >= 1e8 && n < 1e11:
			return time.Unix(n, 0).UTC(), nil
		case n >= 1e11 && n < 1e14:
			return time.UnixMilli(n).UTC(), nil
		}
	}
	for _, form := range dateForms {
		t, err := time.Parse(form, text)
		if err != nil || t.Year() < 1970 || t.Year() > 2262 {
			continue
		}
		if end && len(form) == len(time.DateOnly) {
			t = t.AddDate(0, 0, 1)
		}
		return t.UTC().Truncate(time.Millisecond), nil
	}
	return time.Time{}, fmt.Errorf("%q is not a date: write it as in 2026-11-18 or 2026-11-18T10:00:00Z", text)
}
