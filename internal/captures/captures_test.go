package captures

import (
	"testing"
)

// TestDisagreementsAreInTheIndex makes sure that no entry outlives its capture.
func TestDisagreementsAreInTheIndex(t *testing.T) {
	names := make(map[string]bool)
	index := Index(t)
	for _, c := range index {
		names[c.Name] = true
	}
	for name, d := range Disagreements {
		if d.Reason == "" {
			t.Errorf("%s has no reason", name)
		}
		if len(index) > 0 && !names[name] {
			t.Errorf("%s is not in index.csv", name)
		}
	}
}

func TestCheck(t *testing.T) {
	const listed = "bitkeks-softflowd/v9_template_mixed.pcap"
	expected := Totals{}
	for _, c := range []struct {
		name string
		got  Totals
		ok   bool
	}{
		{"a/b.pcap", expected, true},
		{"a/b.pcap", Totals{Flows: 1}, false},
		{listed, expected, false},
		{listed, Totals{Flows: 1}, false},
		{listed, Disagreements[listed].Got, true},
	} {
		err := Capture{Name: c.name, Expected: expected}.Check(c.got)
		if (err == nil) != c.ok {
			t.Errorf("%s, %s: %v", c.name, c.got, err)
		}
	}
}
