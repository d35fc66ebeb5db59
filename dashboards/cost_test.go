package dashboards_test

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"tapwatch/dashboards/grafana"
	"tapwatch/internal/testkit"
	"tapwatch/storage"
)

// big are the tables that grow with the traffic.
var big = []string{"flows", "conversations_minute", "conversations_hour", "traffic_minute"}

// TestQueriesReadTheirTimeRangeOnly asks ClickHouse for the plan of every query of
// some hours on weeks of records: its indexes must leave out most of each big table.
func TestQueriesReadTheirTimeRangeOnly(t *testing.T) {
	now := time.Now()
	store := seeded(t, now)
	if err := store.Exec(t.Context(), "INSERT INTO "+seedMany, now.UnixMilli()); err != nil {
		t.Fatal(err)
	}
	reader := testkit.Reader(t, store)
	checked := map[string]int{}
	for _, q := range allQueries(t) {
		for what, vars := range map[string]grafana.Variables{"of all": everything(), "of some": something()} {
			t.Run(q.Name+" "+what, func(t *testing.T) {
				plan := explain(t, reader, interpolated(t, q, vars, now, 3*time.Hour))
				for _, read := range reads(t, plan) {
					table := strings.TrimPrefix(read.table, store.Database()+".")
					checked[table]++
					if slices.Contains(big, table) && read.granules*3 > read.of {
						t.Errorf("reads %d of %d granules of %s", read.granules, read.of, table)
					}
				}
			})
		}
	}
	for _, name := range big {
		if checked[name] == 0 {
			t.Errorf("no plan reads %s: the plans are not understood", name)
		}
	}
}

// read is one table in a plan, and how much of it is left by its indexes.
type read struct {
	table        string
	granules, of int
}

var (
	readStep = regexp.MustCompile(`ReadFromMergeTree \(([^)]+)\)`)
	granules = regexp.MustCompile(`Granules: (\d+)/(\d+)`)
)

func reads(t *testing.T, plan []string) []read {
	t.Helper()
	var all []read
	for _, line := range plan {
		if m := readStep.FindStringSubmatch(line); m != nil {
			all = append(all, read{table: m[1]})
		}
		m := granules.FindStringSubmatch(line)
		if m == nil || len(all) == 0 {
			continue
		}
		last := &all[len(all)-1]
		left, err1 := strconv.Atoi(m[1])
		of, err2 := strconv.Atoi(m[2])
		if err1 != nil || err2 != nil {
			t.Fatalf("plan says %q", line)
		}
		last.granules = left
		last.of = max(last.of, of)
	}
	return all
}

func explain(t *testing.T, s *storage.Store, sql string) []string {
	t.Helper()
	rows, err := s.Query(t.Context(), "EXPLAIN indexes = 1 "+sql)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var plan []string
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			t.Fatal(err)
		}
		plan = append(plan, line)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return plan
}
