package main

import (
	"time"

	"tapwatch/internal/benchmark/measure"
)

// processorTime is how long the three processes have been computing.
type processorTime struct{ generator, tapwatch, engine time.Duration }

func times(g *generator, t *target) (p processorTime, err error) {
	for _, of := range []struct {
		pid int
		to  *time.Duration
	}{{g.pid(), &p.generator}, {t.pid(), &p.tapwatch}, {t.engine, &p.engine}} {
		if *of.to, err = measure.CPU(of.pid); err != nil {
			return p, err
		}
	}
	return p, nil
}

func (p processorTime) since(before processorTime) processorTime {
	return processorTime{p.generator - before.generator, p.tapwatch - before.tapwatch, p.engine - before.engine}
}

// peaks are the most memory that tapwatch and its engine have had since resetPeaks, in
// 10⁶ bytes.
func (t *target) peaks() (tapwatch, engine float64, err error) {
	ours, err := measure.PeakResident(t.pid())
	if err != nil {
		return 0, 0, err
	}
	theirs, err := measure.PeakResident(t.engine)
	return float64(ours) / 1e6, float64(theirs) / 1e6, err
}

func (t *target) resetPeaks() error {
	if err := measure.ResetPeak(t.pid()); err != nil {
		return err
	}
	return measure.ResetPeak(t.engine)
}
