package dashboards_test

import (
	"strings"
	"testing"
	"time"

	"tapwatch/dashboards/grafana"
	"tapwatch/internal/testkit"
)

// everything is the choice "All" of every variable.
func everything() grafana.Variables {
	return grafana.Variables{
		"severity": grafana.All(), "kind": grafana.All(), "zone": grafana.All(), "exporter": grafana.All(),
		"peer": grafana.Text(""), "console": grafana.Text("http://127.0.0.1:8080"),
	}
}

// hostile are values that are none of the database's, and that are SQL, macros or
// separators where they are not quoted well.
var hostile = []string{`O'Brien`, `\`, `\') OR 1=1 -- `, `') OR ('1'='1`, `2001:db8::dead`, `$__timeFilter(at)`, `{a:String}`, `ü%27/*`}

// something is a choice of every variable that leaves rows of every panel, among
// values that select none.
func something() grafana.Variables {
	with := func(s ...string) grafana.Value { return grafana.List(append(s, hostile...)...) }
	return grafana.Variables{
		"severity": with("critical"), "kind": with("lawful-intercept"), "zone": with("li-east"),
		"exporter": with("10.30.0.1", "2001:db8:30::1", "10.30.0.2"), "peer": grafana.Text(" 203.0.113."), "console": grafana.Text(""),
	}
}

// hostileValues are what to set a variable to: peer is a text, the others are lists.
func hostileValues(name string) []grafana.Value {
	if name != "peer" {
		return []grafana.Value{grafana.List(hostile...)}
	}
	var values []grafana.Value
	for _, v := range hostile {
		values = append(values, grafana.Text(v))
	}
	return values
}

func TestQueries(t *testing.T) {
	now := time.Now()
	store := seeded(t, now)
	reader := testkit.Reader(t, store)
	queries := allQueries(t)

	for name, length := range map[string]time.Duration{"5m": 5 * time.Minute, "3h": 3 * time.Hour, "24h": 24 * time.Hour, "30d": 30 * 24 * time.Hour} {
		t.Run("all of "+name, func(t *testing.T) {
			for _, q := range queries {
				t.Run(q.Name, func(t *testing.T) {
					r := run(t, reader, q, everything(), now, length)
					if len(r.rows) == 0 {
						t.Fatal("no rows")
					}
					checkShape(t, q, r)
					checkSeries(t, q, r)
				})
			}
		})
	}

	t.Run("chosen values among hostile ones", func(t *testing.T) {
		chosen := something()
		for _, q := range queries {
			t.Run(q.Name, func(t *testing.T) {
				if r := run(t, reader, q, chosen, now, time.Hour); len(r.rows) == 0 {
					t.Error("no rows")
				}
			})
		}
	})

	for _, name := range []string{"severity", "kind", "zone", "exporter", "peer"} {
		t.Run("hostile "+name, func(t *testing.T) {
			for _, q := range queries {
				if !strings.Contains(q.SQL, "${"+name+":") {
					continue
				}
				t.Run(q.Name, func(t *testing.T) {
					values := hostileValues(name)
					for _, v := range values {
						vars := everything()
						vars[name] = v
						if r := run(t, reader, q, vars, now, time.Hour); !r.nothing() {
							t.Errorf("%s = %q selects something: %v", name, v, r.rows[0])
						}
					}
				})
			}
		})
	}
}

// TestNoDataIsNoError runs every query on empty tables: the first minutes of every
// installation.
func TestNoDataIsNoError(t *testing.T) {
	reader := testkit.Reader(t, testkit.Store(t))
	for _, q := range allQueries(t) {
		t.Run(q.Name, func(t *testing.T) {
			if r := run(t, reader, q, everything(), time.Now(), time.Hour); !r.nothing() {
				t.Errorf("shows %v of nothing", r.rows[0])
			}
		})
	}
}
