package simulate_test

import (
	"testing"

	"tapwatch/simulate"
)

func TestRanges(t *testing.T) {
	all, err := simulate.Ranges()
	if err != nil || len(all) < 50 {
		t.Fatalf("%d ranges, %v", len(all), err)
	}
	for _, r := range all {
		if !r.Prefix.IsValid() || r.Prefix != r.Prefix.Masked() || r.ASN == 0 || len(r.Country) != 2 || r.Use == "" {
			t.Errorf("range %+v", r)
		}
	}
}
