package hunts

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Bind checks the values that the user gave and completes them with the defaults. It
// gives the parameters of the query as ClickHouse takes them: text, by name, without
// escapes, as clickhouse.Named takes it. An error names the parameter, says what is
// wrong with it and what would do; one that the hunt does not have is an error too.
// All that is wrong is told at once.
func (h Hunt) Bind(values map[string]string, now time.Time) (map[string]string, error) {
	var wrong []error
	for name := range values {
		if h.param(name) == nil {
			wrong = append(wrong, fmt.Errorf("%s: %s has no such parameter; it has %s", name, h.Name, h.names()))
		}
	}
	slices.SortFunc(wrong, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	bound := make(map[string]string, len(h.Params))
	for _, p := range h.Params {
		value, given := values[p.Name]
		if !given && p.Required {
			wrong = append(wrong, fmt.Errorf("%s: must be given: %s", p.Name, p.Comment))
			continue
		}
		if !given {
			value = p.Default
		}
		text, err := kinds[p.Type].read(value, now)
		if err != nil {
			wrong = append(wrong, fmt.Errorf("%s: %w", p.Name, err))
			continue
		}
		bound[p.Name] = text
	}
	if len(wrong) > 0 {
		return nil, errors.Join(wrong...)
	}
	since, until := bound["since"], bound["until"]
	if since != "" && until != "" && since >= until { // both of timeFormat, which sorts
		return nil, fmt.Errorf("since: %s UTC is not before until, %s UTC", since, until)
	}
	return bound, nil
}

// names lists the parameters for a message.
func (h *Hunt) names() string {
	if len(h.Params) == 0 {
		return "none"
	}
	var all []string
	for _, p := range h.Params {
		all = append(all, p.Name)
	}
	return strings.Join(all, ", ")
}
