package console

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// goneAfter is when silence of an exporter that nobody lists stops being a fault.
const goneAfter = 24 * time.Hour

// Judge sets Status, Problems and Notes from the facts, in words that say what to
// do. silentAfter is how long an exporter may send nothing.
func (e *ExporterStatus) Judge(now time.Time, silentAfter time.Duration) {
	e.Status, e.Problems, e.Notes = StatusOK, nil, nil
	if e.LastReceivedAt.IsZero() || now.Sub(e.LastReceivedAt) > silentAfter {
		e.Status = StatusSilent
		e.Problems = append(e.Problems, e.silence(now))
	}
	if e.Status == StatusSilent && !e.Listed && now.Sub(e.LastReceivedAt) > goneAfter {
		// A stray datagram must not count as a fault for ever.
		e.Status = StatusGone
	}
	e.Problems = append(e.Problems, e.losses()...)
	if e.UnsampledRecords > 0 {
		e.Problems = append(e.Problems, fmt.Sprintf(
			"%d records of the last hour came without a known sampling interval, so their bytes and packets are not scaled: let the router export its sampler options, or set sampling for this exporter in the inventory.",
			e.UnsampledRecords))
	}
	if e.ExpectedSampling != 0 && len(e.SamplingIntervals) > 0 && !slices.Contains(e.SamplingIntervals, e.ExpectedSampling) {
		e.Problems = append(e.Problems, fmt.Sprintf(
			"It says it samples 1 of %s packets, the inventory says 1 of %d: one of them is wrong.",
			join(e.SamplingIntervals), e.ExpectedSampling))
	}
	if e.Status == StatusOK && len(e.Problems) > 0 {
		e.Status = StatusProblem
	}
	if !e.Listed {
		e.Notes = append(e.Notes, "Not in the inventory: list it under exporters to give it a name and to be told when it falls silent.")
	}
}

func (e *ExporterStatus) silence(now time.Time) string {
	const check = "check that it is up, that it exports to this collector, and that no filter drops UDP between them."
	if e.LastReceivedAt.IsZero() {
		return "Nothing was received from it in the last day: " + check
	}
	return fmt.Sprintf("Nothing received for %s, since %s UTC: %s",
		roughly(now.Sub(e.LastReceivedAt)), e.LastReceivedAt.UTC().Format("2006-01-02 15:04:05"), check)
}

// losses says what was dropped, the most first.
func (e *ExporterStatus) losses() []string {
	reasons := slices.SortedFunc(maps.Keys(e.Dropped), func(a, b string) int {
		return cmp.Or(cmp.Compare(e.Dropped[b], e.Dropped[a]), cmp.Compare(a, b))
	})
	var all []string
	for _, reason := range reasons {
		if n := e.Dropped[reason]; n > 0 {
			all = append(all, fmt.Sprintf("%d dropped in the last hour: %s.", n, describeLoss(reason)))
		}
	}
	return all
}

func join(intervals []uint32) string {
	var all []string
	for _, n := range intervals {
		all = append(all, fmt.Sprint(n))
	}
	return strings.Join(all, ", ")
}

// roughly writes a duration as people say it.
func roughly(d time.Duration) string {
	switch {
	case d < 2*time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()))
	default:
		return fmt.Sprintf("%d days", int(d.Hours()/24))
	}
}
