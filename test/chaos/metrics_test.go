//go:build linux

package chaos

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"tapwatch/internal/testkit"
)

// metrics are those of one moment, the label sets of a name added up.
type metrics map[string]float64

// The names of the metrics that the accounts are made of.
const (
	received  = "tapwatch_storage_received_total"  // by the writer: they will be stored
	decoded   = "tapwatch_collector_records_total" // by the collector
	stored    = "tapwatch_storage_rows_total"
	dropped   = "tapwatch_storage_rows_dropped_total"
	waiting   = "tapwatch_storage_queue_records"
	spooled   = "tapwatch_storage_spool_records"
	retries   = "tapwatch_storage_retries_total"
	restarts  = "tapwatch_embedded_restarts_total"
	watermark = "tapwatch_collector_watermark_timestamp_seconds"
)

// client gives up soon: a tapwatch that was just killed answers no more.
var client = http.Client{Timeout: 10 * time.Second}

// scrape asks tapwatch for its metrics. The console answers before the rest is there: that
// is an error too.
func (s *setup) scrape() (metrics, error) {
	r, err := client.Get(fmt.Sprintf("http://%s/metrics", s.console))
	if err != nil {
		return nil, err
	}
	defer r.Body.Close()
	if r.StatusCode != http.StatusOK {
		return nil, errors.New(r.Status)
	}
	m, err := readMetrics(r.Body)
	if _, collects := m[waiting]; err == nil && !collects {
		err = errors.New("tapwatch does not collect yet")
	}
	return m, err
}

// readMetrics reads Prometheus's text format. A name with labels counts by itself and
// into the sum of its name.
func readMetrics(r io.Reader) (metrics, error) {
	m := metrics{}
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		name, value, ok := cutLast(lines.Text(), " ")
		if !ok || strings.HasPrefix(name, "#") {
			continue
		}
		number, err := strconv.ParseFloat(value, 64)
		if err != nil {
			return nil, fmt.Errorf("metric %s: %w", name, err)
		}
		m[name] += number
		if plain, _, labelled := strings.Cut(name, "{"); labelled {
			m[plain] += number
		}
	}
	return m, lines.Err()
}

func cutLast(s, separator string) (before, after string, found bool) {
	i := strings.LastIndex(s, separator)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(separator):], true
}

// count is a counter of records.
func (m metrics) count(name string) uint64 { return uint64(m[name]) }

// droppedFor is how many records were given up for a reason.
func (m metrics) droppedFor(reason string) uint64 {
	return m.count(dropped + `{reason="` + reason + `"}`)
}

// refused is how many records were in datagrams that the kernel or the collector had no
// room for: each is counted.
func (m metrics) refused() uint64 {
	return perMessage * (m.count(`tapwatch_collector_dropped_total{reason="queue_full"}`) + m.count("tapwatch_collector_socket_dropped_total"))
}

// until waits until the metrics of tapwatch are as ok wants them, and gives them.
func (w *tapwatch) until(t *testing.T, what string, ok func(metrics) bool) metrics {
	t.Helper()
	var m metrics
	testkit.Eventually(t, what, func() bool {
		w.alive(t)
		now, err := w.scrape()
		if err != nil {
			return false
		}
		m = now
		return ok(m)
	})
	return m
}

// idle waits until all that exporters have sent so far is stored or counted as lost.
func (w *tapwatch) idle(t *testing.T) metrics {
	t.Helper()
	sent := float64(time.Now().UnixMilli()) / 1000
	return w.until(t, "all that was sent is stored or given up", func(m metrics) bool {
		return m[watermark] > sent && m[waiting] == 0
	})
}
