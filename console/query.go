package console

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"tapwatch/alert"
)

const (
	defaultLimit = 100
	maxLimit     = 1000
	maxValue     = 200
)

var countryCode = regexp.MustCompile(`^[A-Za-z]{2}$`)

// parameter reads one query parameter into q.
type parameter struct {
	name string
	read func(q *alert.Query, value string, now time.Time) *problem
}

func text(name string, field func(q *alert.Query) *string) parameter {
	return parameter{name, func(q *alert.Query, value string, _ time.Time) *problem {
		if len(value) > maxValue {
			return badParameter(name, fmt.Sprintf("It is %d bytes long.", len(value)), fmt.Sprintf("Use at most %d bytes.", maxValue))
		}
		*field(q) = value
		return nil
	}}
}

func moment(name string, field func(q *alert.Query) *time.Time) parameter {
	return parameter{name, func(q *alert.Query, value string, now time.Time) *problem {
		t, err := parseTime(value, now)
		if err != nil {
			return badParameter(name, err.Error()+".", "Use RFC 3339, as in 2026-03-01T06:00:00Z, or a duration back from now, as in 90m or 24h.")
		}
		*field(q) = t
		return nil
	}}
}

func version(name string, field func(q *alert.Query) *uint64) parameter {
	return parameter{name, func(q *alert.Query, value string, _ time.Time) *problem {
		n, err := strconv.ParseUint(value, 10, 64)
		if err != nil {
			return badParameter(name, fmt.Sprintf("%q is not a version of an alert.", value), "Pass on what an earlier answer gave, or leave it out.")
		}
		*field(q) = n
		return nil
	}}
}

func severity(q *alert.Query, value string, _ time.Time) *problem {
	s, err := alert.ParseSeverity(value)
	if err != nil {
		return badParameter("severity", fmt.Sprintf("%q is not a severity.", value), "Use low, medium, high or critical: the least severe to include.")
	}
	q.MinSeverity = s
	return nil
}

// silenced reads what becomes of alerts under a silence.
func silenced(q *alert.Query, value string, _ time.Time) *problem {
	switch value {
	case "include":
		q.Silenced = alert.WithSilenced
	case "only":
		q.Silenced = alert.OnlySilenced
	case "exclude":
		q.Silenced = alert.WithoutSilenced
	default:
		return badParameter("silenced", fmt.Sprintf("%q is unknown.", value), "Use include, only, or exclude, which is what holds without it.")
	}
	return nil
}

func country(q *alert.Query, value string, _ time.Time) *problem {
	if !countryCode.MatchString(value) {
		return badParameter("country", fmt.Sprintf("%q is not a country code.", value), "Use the two letters of ISO 3166-1, as in NL.")
	}
	q.Country = strings.ToUpper(value)
	return nil
}

func limit(q *alert.Query, value string, _ time.Time) *problem {
	n, err := strconv.Atoi(value)
	if err != nil || n < 1 || n > maxLimit {
		return badParameter("limit", fmt.Sprintf("%q is not a number from 1 to %d.", value, maxLimit), "Use a number in that range, and follow next for more.")
	}
	q.Limit = n
	return nil
}

// filterParameters select alerts, in a listing as in the stream.
func filterParameters() []parameter {
	return []parameter{
		{"severity", severity},
		text("detector", func(q *alert.Query) *string { return &q.Detector }),
		text("zone", func(q *alert.Query) *string { return &q.Zone }),
		text("asset", func(q *alert.Query) *string { return &q.Asset }),
		{"country", country},
		text("q", func(q *alert.Query) *string { return &q.Text }),
		{"silenced", silenced},
	}
}

func listParameters() []parameter {
	return append(filterParameters(),
		moment("since", func(q *alert.Query) *time.Time { return &q.Since }),
		moment("until", func(q *alert.Query) *time.Time { return &q.Until }),
		parameter{"limit", limit},
		version("cursor", func(q *alert.Query) *uint64 { return &q.BeforeVersion }),
	)
}

func streamParameters() []parameter {
	return append(filterParameters(), version("after", func(q *alert.Query) *uint64 { return &q.AfterVersion }))
}

// parseQuery reads the request's parameters. One that is unknown or given twice is
// a problem too: a mistyped filter must not show everything.
func parseQuery(r *http.Request, known []parameter, now time.Time) (alert.Query, *problem) {
	q := alert.Query{Silenced: alert.WithoutSilenced}
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return q, badParameter("", "The query string cannot be read: "+err.Error()+".", "Percent-encode the values.")
	}
	for name := range values {
		if !slices.ContainsFunc(known, func(p parameter) bool { return p.name == name }) {
			return q, badParameter(name, fmt.Sprintf("There is no parameter %q.", name), "Use only "+names(known)+".")
		}
	}
	for _, p := range known {
		given := values[p.name]
		if len(given) > 1 {
			return q, badParameter(p.name, fmt.Sprintf("It is given %d times.", len(given)), "Give it once.")
		}
		if len(given) == 0 || given[0] == "" {
			continue
		}
		if problem := p.read(&q, given[0], now); problem != nil {
			return q, problem
		}
	}
	if !q.Since.IsZero() && !q.Until.IsZero() && !q.Since.Before(q.Until) {
		return q, badParameter("until", "The interval from since to until is empty.", "Let until be later than since.")
	}
	return q, nil
}

func names(known []parameter) string {
	var all []string
	for _, p := range known {
		all = append(all, p.name)
	}
	return strings.Join(all, ", ")
}

func parseTime(value string, now time.Time) (time.Time, error) {
	if t, err := time.Parse(time.RFC3339, value); err == nil {
		return t, nil
	}
	if d, err := time.ParseDuration(value); err == nil && d > 0 {
		return now.Add(-d), nil
	}
	return time.Time{}, fmt.Errorf("%q is not a time", value)
}
