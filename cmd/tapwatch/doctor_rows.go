package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"tapwatch/console"
)

// writeDiagnosis writes a row for each exporter; machines get all of it.
func writeDiagnosis(w io.Writer, exporters []console.ExporterStatus, format string) error {
	if format == "json" {
		encoder := json.NewEncoder(w)
		for _, e := range exporters {
			if err := encoder.Encode(e.WithLists()); err != nil {
				return err
			}
		}
		return nil
	}
	columns := []string{"status", "exporter", "name", "sends", "records_per_s", "templates", "sampling", "last_heard", "dropped", "lost", "restarts"}
	if format == "csv" {
		columns = append(columns, "lost_records", "lost_datagrams", "lost_percent", "late_datagrams", "waiting_sets", "platform", "problems", "remedies")
	}
	rows, err := newRowWriter(w, format, columns)
	if err != nil {
		return err
	}
	for i := range exporters {
		e := &exporters[i]
		row := []any{
			e.Status, e.Address, e.Name, strings.Join(e.Protocols, " "), fmt.Sprintf("%.1f", e.RecordsPerSecond),
			e.Templates, sampling(e), lastHeard(e), sum(e.Dropped), lost(e), e.Restarts,
		}
		if format == "csv" {
			row = append(row, e.LostRecords, e.LostDatagrams, fmt.Sprintf("%.2f", e.LostPercent), e.LateDatagrams, e.WaitingSets,
				e.Platform, strings.Join(e.Problems, " "), remedies(e))
		}
		if err := rows.Row(row); err != nil {
			return err
		}
	}
	return rows.Close()
}

// lost is how much of what it sent did not arrive.
func lost(e *console.ExporterStatus) string {
	if e.LostRecords+e.LostDatagrams == 0 {
		return "0"
	}
	if e.LostPercent < 0.01 {
		return "<0.01%"
	}
	return fmt.Sprintf("%.2f%%", e.LostPercent)
}

// remedies are all of an exporter, a line for each.
func remedies(e *console.ExporterStatus) string {
	var all []string
	for _, f := range e.Faults {
		for _, r := range f.Remedies {
			all = append(all, f.Kind+", "+r.Where+": "+strings.Join(r.Lines, " | "))
		}
	}
	return strings.Join(all, "\n")
}

func sampling(e *console.ExporterStatus) string {
	if len(e.SamplingIntervals) == 0 {
		return "not said"
	}
	const most = 3 // routers have one or two; more say that something is wrong
	var all []string
	for i, n := range e.SamplingIntervals {
		if i == most {
			all = append(all, fmt.Sprintf("and %d more", len(e.SamplingIntervals)-most))
			break
		}
		all = append(all, fmt.Sprintf("1:%d", n))
	}
	return strings.Join(all, " ")
}

func lastHeard(e *console.ExporterStatus) string {
	if e.LastReceivedAt.IsZero() {
		return "never"
	}
	return e.LastReceivedAt.UTC().Format(time.DateTime)
}

func sum(counts map[string]uint64) (total uint64) {
	for _, n := range counts {
		total += n
	}
	return total
}
