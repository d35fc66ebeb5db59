package ledger

import (
	"fmt"
	"math"

	"tapwatch/alert"
	"tapwatch/detect/baseline"
)

// SystemText names a system at the start of a line: "hss-1 of core-east".
func SystemText(p alert.Party) string {
	if p.Zone == "" {
		return p.Name()
	}
	return p.Name() + " of " + p.Zone
}

// ServiceText says what an allow rule for traffic to the end would name.
func ServiceText(to alert.Party) string {
	if to.Asset != "" {
		return "to asset:" + to.Asset
	}
	return "to a named service that holds " + to.Addr.String()
}

// RarityText says how rare a score is where nothing is wrong.
func RarityText(score float64) string {
	times := -baseline.LogNormalTail(score) / math.Ln10
	switch {
	case times >= 9:
		return fmt.Sprintf("score %.1f: by its own history this does not happen by chance (fewer than 1 of 1,000,000,000)", score)
	default:
		return fmt.Sprintf("score %.1f: by its own history 1 of %s is as high where nothing is wrong", score, thousands(math.Pow(10, times)))
	}
}

// thousands writes a large number with two significant digits and commas.
func thousands(v float64) string {
	scale := math.Pow(10, math.Max(0, math.Floor(math.Log10(v))-1))
	digits := fmt.Sprintf("%.0f", math.Round(v/scale)*scale)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}
