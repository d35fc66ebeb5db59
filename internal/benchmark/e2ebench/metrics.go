package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// counters are what tapwatch tells of itself, the values of one name added up.
type counters map[string]float64

// Names of what is looked at.
const (
	metricReceived = "tapwatch_collector_records_total"
	metricDropped  = "tapwatch_collector_dropped_total"
	metricKernel   = "tapwatch_collector_socket_dropped_total"
	metricRows     = "tapwatch_storage_rows_total"
	metricInserts  = "tapwatch_storage_batches_total"
	metricQueued   = "tapwatch_storage_queue_records"
	metricSpooled  = "tapwatch_storage_spool_records"
	metricSpool    = "tapwatch_storage_spool_bytes"
	metricGivenUp  = "tapwatch_storage_rows_dropped_total"
)

// scrape reads /metrics.
func scrape(ctx context.Context, console string) (counters, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+console+"/metrics", nil)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, fmt.Errorf("ask tapwatch for its metrics: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("ask tapwatch for its metrics: %s", response.Status)
	}
	c, err := readCounters(response.Body)
	if err != nil {
		return nil, err
	}
	for _, name := range []string{metricReceived, metricRows, metricInserts, metricQueued, metricSpooled, metricSpool, metricGivenUp} {
		if _, ok := c[name]; !ok {
			return nil, errors.New("tapwatch has no metric " + name)
		}
	}
	return c, nil
}

// readCounters reads the text format of Prometheus.
func readCounters(text io.Reader) (counters, error) {
	c := counters{}
	lines := bufio.NewScanner(text)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		line := lines.Text()
		if line == "" || line[0] == '#' {
			continue
		}
		name, _, _ := strings.Cut(line, " ")
		name, _, _ = strings.Cut(name, "{")
		value, err := strconv.ParseFloat(line[strings.LastIndexByte(line, ' ')+1:], 64)
		if err != nil {
			return nil, fmt.Errorf("metric %q: %w", line, err)
		}
		c[name] += value
	}
	return c, lines.Err()
}
