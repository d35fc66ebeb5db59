package scenario_test

import (
	"testing"
	"time"

	"tapwatch/simulate/scenario"
)

func TestPlansAreValid(t *testing.T) {
	for name, plan := range map[string]scenario.Plan{"demo": scenario.Demo(), "default": scenario.Default()} {
		if err := plan.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if len(plan) != 3 {
			t.Errorf("%s has %d intrusions", name, len(plan))
		}
	}
	if err := scenario.Hunts().Validate(); err != nil {
		t.Errorf("hunts: %v", err)
	}
}

func TestPlanWithATwin(t *testing.T) {
	in := scenario.Demo()[0]
	if err := (scenario.Plan{in, in}).Validate(); err == nil {
		t.Error("two intrusions with one id")
	}
}

func TestRepetitions(t *testing.T) {
	for want, s := range map[int]scenario.Step{
		1: {After: 5},
		2: {After: 0, Every: time.Minute, Until: 2 * time.Minute},
		3: {After: time.Second, Every: time.Minute, Until: 2*time.Minute + 2*time.Second},
	} {
		if got := s.Repetitions(); got != want {
			t.Errorf("%+v is done %d times, want %d", s, got, want)
		}
	}
}
