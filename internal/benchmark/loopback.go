package main

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"slices"
	"time"

	"tapwatch/internal/benchmark/measure"
)

// subject is a collector that runs in a process of its own.
type subject interface {
	name() string
	// start starts it with an empty folder for whatever it writes.
	start(ctx context.Context, dir string) (*process, error)
	// received gives how many records it took in all, once it has ended.
	received(ctx context.Context, p *process) (uint64, error)
}

// trial is one subject at one rate.
type trial struct {
	sent, received uint64
	dropped        uint64 // datagrams, by the kernel
	charged        uint64 // records received after the warm-up, in the time cpu
	cpu            time.Duration
	rate           float64 // that the sender kept, records a second
}

func (t trial) lost() float64 { return 1 - float64(t.received)/float64(t.sent) }

// sustained says whether it lost nothing.
func (t trial) sustained() bool { return t.received == t.sent }

func (t trial) nanoseconds() float64 {
	return float64(t.cpu.Nanoseconds()) / float64(max(1, t.charged))
}

// rates in records a second: of the comparison, and of the search for the most.
var (
	comparedRates = []int{200_000, 400_000}
	climbedRates  = []int{400_000, 800_000, 1_200_000, 1_600_000, 2_400_000}
)

// measureLoopback compares the CPU time of whole collector processes.
func measureLoopback(ctx context.Context, r *report, short bool, profile string) error {
	rounds, seconds, climbSeconds := 3, 7.0, 3.0
	if short {
		rounds, seconds = 1, 2.5
	}
	r.Say("\nloopback: datagrams of %d records from %d exporters over UDP, %d runs of %.1f s in turn", recordsV9, ringExporters, rounds, seconds)
	restore, err := measure.RaiseReceiveBuffer(receiveBuffer())
	if err != nil {
		r.Say("  receive buffers stay small, for %s cannot be set: %v", measure.ReceiveBufferFile, err)
	}
	defer func() {
		if err := restore(); err != nil {
			r.Say("  %s is not restored: %v", measure.ReceiveBufferFile, err)
		}
	}()
	subjects := [2]subject{&tapwatchSubject{profile: profile}, nfcapdSubject{}}
	var sustained, lossy []float64 // ratios of the rates
	for _, rate := range comparedRates {
		ratio, ok, err := compare(ctx, r, subjects, rate, rounds, seconds)
		if err != nil {
			return err
		}
		r.Add(fmt.Sprintf("collector_cpu_vs_nfcapd_%dk", rate/1000), ratio)
		if ok {
			sustained = append(sustained, ratio)
		} else {
			lossy = append(lossy, ratio)
		}
	}
	if len(sustained) == 0 {
		r.Say("  NOTE: records were lost at every rate; the ratios are by record received")
		sustained = lossy
	}
	r.Add("collector_cpu_vs_nfcapd", slices.Max(sustained))
	if short {
		return nil
	}
	for _, s := range subjects {
		if err := climb(ctx, r, s, climbSeconds); err != nil {
			return err
		}
	}
	return nil
}

// receiveBuffer is what tapwatch asks for all its sockets together; nfcapd, which has
// one, is given as much.
func receiveBuffer() int { return configuration().Collector.ReceiveBufferBytes * runtime.NumCPU() }

// compare runs both at one rate, in turn. The ratio is the median of those of the
// rounds; sustained says that neither lost anything.
func compare(ctx context.Context, r *report, subjects [2]subject, rate, rounds int, seconds float64) (ratio float64, sustained bool, err error) {
	var ratios []float64
	sustained = true
	for round := range rounds {
		var cost [2]float64
		for turn := range subjects {
			i := (round + turn) % 2 // who comes first is not always the same
			result, err := once(ctx, subjects[i], rate, seconds)
			if err != nil {
				return 0, false, fmt.Errorf("%s: %w", subjects[i].name(), err)
			}
			sayRun(r, subjects[i], rate, result)
			cost[i] = result.nanoseconds()
			sustained = sustained && result.sustained()
		}
		ratios = append(ratios, cost[0]/cost[1])
	}
	ratio = median(ratios)
	r.Say("  %-8s at %7d records/s: %.4f of %s", subjects[0].name(), rate, ratio, subjects[1].name())
	return ratio, sustained, nil
}

func sayRun(r *report, s subject, rate int, result trial) {
	r.Say("  %-8s at %7d records/s: %6.0f ns of CPU a record, lost %.4f %% (kernel dropped %d datagrams); %d of %d received, sent at %.0f/s",
		s.name(), rate, result.nanoseconds(), 100*result.lost(), result.dropped, result.received, result.sent, result.rate)
}

// climb looks for the highest rate that a subject takes without loss, beside a sender
// on the same processors.
func climb(ctx context.Context, r *report, s subject, seconds float64) error {
	best := 0.0
	for _, rate := range climbedRates {
		result, err := once(ctx, s, rate, seconds)
		if err != nil {
			return fmt.Errorf("%s: %w", s.name(), err)
		}
		sayRun(r, s, rate, result)
		if result.lost() > 0.001 {
			break
		}
		best = math.Max(best, result.rate)
		if result.rate < 0.95*float64(rate) {
			break // the sender cannot do more
		}
	}
	r.Add(s.name()+"_max_records_per_second", best)
	return nil
}
