package intel

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics of the enrichment. The label list is the list's name.
type metrics struct {
	indicators *prometheus.GaugeVec
	skipped    *prometheus.GaugeVec
	matches    *prometheus.CounterVec
	reloads    *prometheus.CounterVec
}

func newMetrics(reg prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		indicators: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "tapwatch_intel_indicators",
			Help: "Addresses and prefixes of the list in force.",
		}, []string{"list"}),
		skipped: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "tapwatch_intel_skipped",
			Help: "Parts of the list in force that are not used: patterns that flows cannot show, other types than addresses, revoked ones, ones not meant for detection, broken objects.",
		}, []string{"list", "reason"}),
		matches: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tapwatch_intel_matches_total",
			Help: "Ends of flow records that the list names.",
		}, []string{"list"}),
		reloads: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tapwatch_intel_reloads_total",
			Help: "Reloads of the lists by result: ok, or failed, which kept those of before.",
		}, []string{"result"}),
	}
	m.reloads.WithLabelValues("ok")
	m.reloads.WithLabelValues("failed")
	return m, errors.Join(reg.Register(m.indicators), reg.Register(m.skipped), reg.Register(m.matches), reg.Register(m.reloads))
}

// skipReasons are all reasons for which parts are not used.
var skipReasons = []string{skipPattern, skipType, skipRevoked, skipNotToIDS, skipObject}

// examplesNamed is how many kinds of parts that are not used a log line names.
const examplesNamed = 8

// summary counts what is not used by reason, and names the most frequent kinds of it.
func summary(skipped map[skip]int) (reasons map[string]int, examples []string) {
	reasons = map[string]int{}
	kinds := make([]skip, 0, len(skipped))
	for s, n := range skipped {
		reasons[s.reason] += n
		kinds = append(kinds, s)
	}
	slices.SortFunc(kinds, func(a, b skip) int {
		return cmp.Or(skipped[b]-skipped[a], cmp.Compare(a.reason, b.reason), cmp.Compare(a.what, b.what))
	})
	for _, s := range kinds[:min(len(kinds), examplesNamed)] {
		examples = append(examples, fmt.Sprintf("%d %s: %s", skipped[s], s.reason, s.what))
	}
	if n := len(kinds) - examplesNamed; n > 0 {
		examples = append(examples, fmt.Sprintf("and %d more kinds", n))
	}
	return reasons, examples
}
