package alert

import (
	"fmt"
	"time"
)

// Raised is how many new alerts a rule raised in a day.
type Raised struct {
	Detector string `json:"detector"`
	Rule     string `json:"rule"`
	Alerts   uint64 `json:"alerts"`
}

// Budget holds the new alerts of a day against how many people can take.
type Budget struct {
	// PerDay is the budget; 0: none.
	PerDay int `json:"per_day"`
	// Since and Until bound the day, in stream time.
	Since time.Time `json:"since"`
	Until time.Time `json:"until"`
	// New are the alerts first seen in it that are under no silence, Silenced those
	// that are.
	New      uint64 `json:"new"`
	Silenced uint64 `json:"silenced"`
	Exceeded bool   `json:"exceeded"`
	// Text says so in words, and what to do; empty while the budget is kept.
	Text string `json:"text"`
	// Loudest are the rules that raised them, the loudest first, at most five.
	Loudest []Raised `json:"loudest"`
}

// loudest is how many rules a budget names.
const loudest = 5

// NewBudget holds what was raised, the loudest rule first, against the budget.
func NewBudget(perDay int, since, until time.Time, raised []Raised, silenced uint64) Budget {
	b := Budget{PerDay: perDay, Since: since, Until: until, Silenced: silenced, Loudest: []Raised{}}
	for _, r := range raised {
		b.New += r.Alerts
	}
	b.Loudest = append(b.Loudest, raised[:min(len(raised), loudest)]...)
	b.Exceeded = perDay > 0 && b.New > uint64(perDay)
	if b.Exceeded {
		l := raised[0]
		b.Text = fmt.Sprintf("%d new alerts in 24 hours, and the budget is %d: nobody reads that many with care. The loudest is %s/%s with %d. "+
			"Look at some of its alerts. If they are wanted traffic, approve it or add an allow rule; if they are known and harmless, silence that "+
			"asset or peer; if the rule fits this network badly, change its threshold under detect.%s and try that with tapwatch backtest --diff. Nothing is hidden.",
			b.New, perDay, l.Detector, l.Rule, l.Alerts, l.Detector)
	}
	return b
}
