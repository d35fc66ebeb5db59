package grafana

import (
	"fmt"
	"time"
)

// Formats of a query's result, the values of Target.Format.
const (
	FormatTimeSeries = 0
	FormatTable      = 1
)

// Use is what a query's rows become.
type Use int

// The uses of a query.
const (
	ForPanel Use = iota
	ForAnnotation
	ForVariable
	ForAlert
)

// Query is one statement of a dashboard or of an alert rule.
type Query struct {
	// Name says where the query stands: "noc.json/Traffic of protected zones/to".
	Name   string
	Use    Use
	Format int
	SQL    string
	// MinInterval is the smallest $__interval.
	MinInterval time.Duration
	// Panel is the panel of a ForPanel query, else nil.
	Panel *Panel
	// Range is how far a ForAlert query looks back, else 0.
	Range time.Duration
}

// Queries returns every statement of the dashboard: of panels, those in collapsed
// rows too, of annotations and of variables.
func (d *Dashboard) Queries() ([]Query, error) {
	var all []Query
	for _, p := range d.All() {
		min, err := p.MinInterval()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", d.File, err)
		}
		for _, t := range p.Targets {
			all = append(all, Query{
				Name: d.File + "/" + p.Title + "/" + t.RefID, Use: ForPanel, Format: t.Format,
				SQL: t.RawSQL, MinInterval: min, Panel: p,
			})
		}
	}
	for _, a := range d.Annotations.List {
		if a.BuiltIn == 0 {
			all = append(all, Query{
				Name: d.File + "/annotation " + a.Name, Use: ForAnnotation, Format: a.Target.Format,
				SQL: a.Target.RawSQL, MinInterval: time.Second,
			})
		}
	}
	for i := range d.Templating.List {
		v := &d.Templating.List[i]
		sql, err := v.sql()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", d.File, err)
		}
		if v.Type == "query" {
			all = append(all, Query{
				Name: d.File + "/variable " + v.Name, Use: ForVariable, Format: FormatTable,
				SQL: sql, MinInterval: time.Second,
			})
		}
	}
	return all, nil
}
