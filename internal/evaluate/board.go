package evaluate

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"tapwatch/alert"
)

// Row is one technique over all campaigns.
type Row struct {
	Technique string `json:"technique"`
	// Detectors ought to find it.
	Detectors []string `json:"detectors"`
	Planted   int      `json:"planted"`
	Found     int      `json:"found"`
	Recall    float64  `json:"recall"`
	// Median and Latest are how long after the first record it was found.
	Median time.Duration `json:"median"`
	Latest time.Duration `json:"latest"`
}

// TrapRow is one benign look-alike over all campaigns.
type TrapRow struct {
	Trap   string         `json:"trap"`
	Set    int            `json:"set"`
	Alerts int            `json:"alerts"`
	Worst  alert.Severity `json:"worst"` // 0 none
}

// DetectorRow is how often a detector was right.
type DetectorRow struct {
	Detector  string  `json:"detector"`
	Alerts    int     `json:"alerts"`
	True      int     `json:"true"`
	Precision float64 `json:"precision"`
}

// Board is what all campaigns add up to.
type Board struct {
	Seeds      []uint64      `json:"seeds"`
	Days       float64       `json:"days"`
	Pairs      int           `json:"pairs"` // of one campaign
	Records    uint64        `json:"records"`
	Techniques []Row         `json:"techniques"`
	Traps      []TrapRow     `json:"traps"`
	Detectors  []DetectorRow `json:"detectors"`
	// PrecisionHigh is the share of high and critical alerts that are about something
	// planted; 1 if there are none. FalsePerDay are alerts about nothing that was
	// planted, by severity and together, a day and 10,000 pairs as they come; Alerts all.
	Alerts        int                `json:"alerts"`
	PrecisionHigh float64            `json:"precision_high"`
	Precision     float64            `json:"precision"`
	FalsePerDay   map[string]float64 `json:"false_per_day"`
	FalseAll      float64            `json:"false_alerts_per_day"`
	TrapsWorst    alert.Severity     `json:"traps_worst"`
	Wrong         []Judged           `json:"wrong"`
	Missed        []Outcome          `json:"missed"`
}

// Sum adds up campaigns.
func Sum(results []Result) Board {
	b := Board{PrecisionHigh: 1, Precision: 1, FalsePerDay: map[string]float64{}}
	rows, traps := map[string]*Row{}, map[string]*TrapRow{}
	after := map[string][]time.Duration{}
	detectors := map[string]*DetectorRow{}
	var high, highTrue, right int
	for i := range results {
		r := &results[i]
		b.Seeds = append(b.Seeds, r.Seed)
		b.Days += r.Days
		b.Pairs, b.Records = r.Pairs, b.Records+r.Records
		for _, o := range r.Planted {
			if o.Label.Trap {
				at(traps, o.Label.Technique, func() *TrapRow { return &TrapRow{Trap: o.Label.Technique} }).Set++
				continue
			}
			row := at(rows, o.Label.Technique, func() *Row { return &Row{Technique: o.Label.Technique, Detectors: o.Label.Detectors} })
			row.Planted++
			if !o.Found {
				b.Missed = append(b.Missed, o)
				continue
			}
			row.Found++
			after[row.Technique] = append(after[row.Technique], o.After)
		}
		for _, a := range r.Alerts {
			d := at(detectors, a.Detector, func() *DetectorRow { return &DetectorRow{Detector: a.Detector} })
			d.Alerts++
			b.Alerts++
			if a.Severity >= alert.High {
				high++
			}
			if !a.False() {
				d.True++
				right++
				if a.Severity >= alert.High {
					highTrue++
				}
				continue
			}
			b.Wrong = append(b.Wrong, a)
			b.FalsePerDay[a.Severity.String()]++
			b.FalseAll++
			if a.Trap != "" {
				t := at(traps, a.Trap, func() *TrapRow { return &TrapRow{Trap: a.Trap} })
				t.Alerts++
				t.Worst = max(t.Worst, a.Severity)
				b.TrapsWorst = max(b.TrapsWorst, a.Severity)
			}
		}
	}
	for s := range b.FalsePerDay {
		b.FalsePerDay[s] /= b.Days
	}
	b.FalseAll /= max(b.Days, 1)
	if b.Alerts > 0 {
		b.Precision = float64(right) / float64(b.Alerts)
	}
	if high > 0 {
		b.PrecisionHigh = float64(highTrue) / float64(high)
	}
	for _, name := range slices.Sorted(maps.Keys(rows)) {
		row := rows[name]
		row.Recall = float64(row.Found) / float64(row.Planted)
		if d := after[name]; len(d) > 0 {
			slices.Sort(d)
			row.Median, row.Latest = d[len(d)/2], d[len(d)-1]
		}
		b.Techniques = append(b.Techniques, *row)
	}
	for _, name := range slices.Sorted(maps.Keys(traps)) {
		b.Traps = append(b.Traps, *traps[name])
	}
	for _, name := range slices.Sorted(maps.Keys(detectors)) {
		d := detectors[name]
		d.Precision = float64(d.True) / float64(d.Alerts)
		b.Detectors = append(b.Detectors, *d)
	}
	return b
}

func at[T any](m map[string]*T, key string, fresh func() *T) *T {
	v := m[key]
	if v == nil {
		v = fresh()
		m[key] = v
	}
	return v
}

// WriteTable writes the board for people.
func (b *Board) WriteTable(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "technique\tdetectors\tplanted\tfound\trecall\tmedian\tlatest")
	for _, r := range b.Techniques {
		fmt.Fprintf(t, "%s\t%s\t%d\t%d\t%.2f\t%s\t%s\n", r.Technique, strings.Join(r.Detectors, ","), r.Planted, r.Found, r.Recall, short(r.Median), short(r.Latest))
	}
	fmt.Fprintln(t, "\ntrap\tset\talerts\tworst")
	for _, r := range b.Traps {
		worst := "none"
		if r.Worst > 0 {
			worst = r.Worst.String()
		}
		fmt.Fprintf(t, "%s\t%d\t%d\t%s\n", r.Trap, r.Set, r.Alerts, worst)
	}
	fmt.Fprintln(t, "\ndetector\talerts\ttrue\tprecision")
	for _, r := range b.Detectors {
		fmt.Fprintf(t, "%s\t%d\t%d\t%.2f\n", r.Detector, r.Alerts, r.True, r.Precision)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "\n%d campaigns, %.0f days, %d pairs, %d records: %d alerts, precision %.3f (high and critical %.3f), %.2f false alerts a day\n",
		len(b.Seeds), b.Days, b.Pairs, b.Records, b.Alerts, b.Precision, b.PrecisionHigh, b.FalseAll)
	return err
}

// short writes a duration without what does not matter.
func short(d time.Duration) string {
	switch {
	case d == 0:
		return "-"
	case d < 10*time.Minute:
		return d.Round(100 * time.Millisecond).String()
	default:
		return strings.TrimSuffix(d.Round(time.Minute).String(), "0s")
	}
}

// WriteBench writes a line for each figure: "bench NAME VALUE".
func (b *Board) WriteBench(w io.Writer) error {
	var all []error
	line := func(name string, value float64) {
		_, err := fmt.Fprintf(w, "bench %s %.4g\n", name, value)
		all = append(all, err)
	}
	for _, r := range b.Techniques {
		line("recall_"+strings.ReplaceAll(r.Technique, "-", "_"), r.Recall)
	}
	for _, r := range b.Techniques {
		line("latest_seconds_"+strings.ReplaceAll(r.Technique, "-", "_"), r.Latest.Seconds())
	}
	line("precision", b.Precision)
	line("precision_high", b.PrecisionHigh)
	line("false_alerts_per_day", b.FalseAll)
	for _, s := range []string{"low", "medium", "high", "critical"} {
		line("false_"+s+"_per_day", b.FalsePerDay[s])
	}
	line("alerts_per_day", float64(b.Alerts)/max(b.Days, 1))
	line("trap_worst_severity", float64(b.TrapsWorst))
	return cmp.Or(all...)
}
