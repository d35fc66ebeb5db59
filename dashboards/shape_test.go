package dashboards_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"tapwatch/dashboards/grafana"
)

func isTime(typ string) bool   { return strings.HasPrefix(typ, "DateTime") }
func isNumber(typ string) bool { return regexp.MustCompile(`^(U?Int|Float)\d+$`).MatchString(typ) }
func isText(typ string) bool   { return typ == "String" || typ == "LowCardinality(String)" }

func (r result) count(is func(string) bool) (n int) {
	for _, typ := range r.types {
		if is(typ) {
			n++
		}
	}
	return n
}

// typeOf is the type of a column, empty if there is none of that name.
func (r result) typeOf(name string) string {
	if i := slices.Index(r.names, name); i >= 0 {
		return r.types[i]
	}
	return ""
}

// checkShape says whether the columns are what Grafana needs for the query's use.
func checkShape(t *testing.T, q grafana.Query, r result) {
	t.Helper()
	columns := fmt.Sprintf("columns are %v of types %v", r.names, r.types)
	times, numbers, texts := r.count(isTime), r.count(isNumber), r.count(isText)
	switch {
	case q.Use == grafana.ForAnnotation:
		if !isTime(r.typeOf("time")) || !isTime(r.typeOf("timeEnd")) || !isText(r.typeOf("title")) || !isText(r.typeOf("text")) {
			t.Errorf("an annotation needs time, timeEnd, title, text: %s", columns)
		}
	case q.Use == grafana.ForVariable:
		if texts != len(r.types) || texts > 2 {
			t.Errorf("a variable needs one or two texts: %s", columns)
		}
	case q.Use == grafana.ForAlert:
		if numbers != 1 || numbers+texts != len(r.types) {
			t.Errorf("an alert rule needs one number and labels: %s", columns)
		}
	case q.Format == grafana.FormatTimeSeries:
		if r.names[0] != "time" || times != 1 || numbers == 0 || times+numbers+texts != len(r.types) {
			t.Errorf("a time series needs time first, then numbers and labels: %s", columns)
		}
	default:
		if times+numbers+texts != len(r.types) {
			t.Errorf("a table shows times, numbers and texts only: %s", columns)
		}
		checkPanel(t, q.Panel, r)
	}
}

// checkPanel checks a table against what the panel's options say of its columns.
func checkPanel(t *testing.T, p *grafana.Panel, r result) {
	t.Helper()
	switch p.Type {
	case "stat":
		if r.count(isNumber) != len(r.types) || len(r.rows) != 1 {
			t.Errorf("stat shows %d rows of %v", len(r.rows), r.types)
		}
	case "bargauge":
		if r.count(isText) != 1 || r.count(isNumber) != 1 {
			t.Errorf("bar gauge shows %v", r.types)
		}
	case "geomap":
		if !isText(r.typeOf("country")) || !isNumber(r.typeOf("bytes")) {
			t.Errorf("map looks up country and sizes by bytes, but the columns are %v", r.names)
		}
	}
	for _, o := range p.FieldConfig.Overrides {
		if name := fmt.Sprint(o.Matcher.Options); o.Matcher.ID == "byName" && r.typeOf(name) == "" {
			t.Errorf("override of %q, but the columns are %v", name, r.names)
		}
	}
	overrides, err := json.Marshal(p.FieldConfig.Overrides)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`__data\.fields\.(\w+)`).FindAllStringSubmatch(string(overrides), -1) {
		if r.typeOf(m[1]) == "" {
			t.Errorf("a link needs column %s, but the columns are %v", m[1], r.names)
		}
	}
}

// maxSeries is the most lines of a graph that a person can tell apart.
const maxSeries = 60

// checkSeries says whether the rows of a time series ascend, as the plugin demands,
// and are few enough to draw.
func checkSeries(t *testing.T, q grafana.Query, r result) {
	t.Helper()
	if q.Use != grafana.ForPanel || q.Format != grafana.FormatTimeSeries {
		return
	}
	var last time.Time
	points := map[string]int{}
	for _, row := range r.rows {
		at := row[0].(time.Time)
		if at.Before(last) {
			t.Fatalf("%s comes after %s", at, last)
		}
		last = at
		var labels []string
		for i, typ := range r.types {
			if isText(typ) {
				labels = append(labels, row[i].(string))
			}
		}
		points[strings.Join(labels, "\x00")]++
	}
	if len(points) > maxSeries {
		t.Errorf("%d series", len(points))
	}
	for labels, n := range points {
		if n > 2*width {
			t.Errorf("series %q has %d points", labels, n)
		}
	}
}
