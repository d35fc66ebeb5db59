package detect

import (
	"slices"
	"strings"

	"tapwatch/alert"
	"tapwatch/flow"
)

// crownJewels are roles whose systems hold what the intruders came for, outside
// lawful-intercept zones: subscriber data, and the keys to everything.
var crownJewels = []string{"hss", "udm", "poi", "aaa", "jump", "cdr", "billing"}

// unsure is below what confidence a severity is lowered.
const unsure = 0.5

// Grade is the severity of a finding: that of the technique when a usual protected system
// is its asset, one higher where the asset belongs to a lawful-intercept zone or its
// role is one of the carrier's crown jewels and the finding is at least medium, and one
// lower where the detector is less than half sure. Low stays low.
func Grade(technique alert.Severity, kind, role string, confidence float64) alert.Severity {
	s := technique
	precious := kind == flow.ZoneLawfulIntercept || slices.Contains(crownJewels, strings.ToLower(role))
	if precious && s >= alert.Medium {
		s++
	}
	if confidence < unsure {
		s--
	}
	return min(max(s, alert.Low), alert.Critical)
}
