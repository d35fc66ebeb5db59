package main

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"time"

	"tapwatch/simulate"
	"tapwatch/simulate/scenario"
)

type simulateCommand struct {
	To       netip.AddrPort `help:"Where the routers export to: an IPv4 loopback address and port; 127.0.0.1:2055 by default." default:"127.0.0.1:2055" placeholder:"ADDR:PORT"`
	Pcap     string         `help:"Write a capture of the exports instead of sending them." placeholder:"FILE"`
	Labels   string         `help:"Write the ground truth, which flows are the intruders', as JSON." placeholder:"FILE"`
	Start    time.Time      `help:"Beginning of stream time of a capture (RFC 3339); without one, a duration ago." placeholder:"TIME"`
	Duration time.Duration  `help:"How much stream time to simulate; 0: until Ctrl-C." default:"10m"`
	Speed    float64        `help:"How much faster than the clock stream time passes." default:"1"`
	Rate     float64        `help:"Flow records a second in the busiest hour, over all routers; at least 30." default:"600"`
	Seed     uint64         `help:"Another seed is another simulation; the same gives the same bytes." default:"1"`
	Plan     string         `help:"Which intrusions are planted: demo (within two minutes), days (at the pace of people), hunts (what the hunts look for, from the fourth day on, most of it in the evening of the tenth), none." enum:"demo,days,hunts,none" default:"demo"`
}

// Help shows examples.
func (simulateCommand) Help() string {
	return `A dozen routers of a carrier that does not exist export NetFlow v5, NetFlow v9, IPFIX and sFlow, each from its own
loopback address. simulate/carrier.yaml is its inventory.

Examples:

  tapwatch simulate --to 127.0.0.1:2055 --duration 5m
  tapwatch simulate --pcap day.pcap --labels day.json --duration 24h --plan days`
}

// Validate is called by the parser.
func (c *simulateCommand) Validate() error {
	if c.Pcap == "" && !c.To.Addr().IsLoopback() {
		return fmt.Errorf("--to %s: simulated flows go to a loopback address only, such as 127.0.0.1:2055", c.To)
	}
	if c.Pcap != "" && c.Duration <= 0 {
		return fmt.Errorf("--pcap needs a --duration, as in --duration 1h")
	}
	return nil
}

// Run simulates until the duration has passed or ctx ends.
func (c *simulateCommand) Run(ctx context.Context, env *environment) error {
	cfg := simulate.DefaultConfig()
	cfg.Seed, cfg.Rate, cfg.Start = c.Seed, c.Rate, time.Now()
	switch c.Plan {
	case "demo":
		cfg.Plan = scenario.Demo()
	case "days":
		cfg.Plan = scenario.Default()
	case "hunts":
		cfg.Plan = scenario.Hunts()
	}
	if c.Pcap != "" {
		if cfg.Start = c.Start; c.Start.IsZero() {
			cfg.Start = time.Now().Add(-c.Duration)
		}
	}
	network, err := simulate.New(cfg)
	if err != nil {
		return misuse{err}
	}
	var stats simulate.Stats
	if c.Pcap != "" {
		stats, err = c.writePcap(ctx, network)
	} else {
		stats, err = network.Run(ctx, simulate.Options{
			Target: c.To, Speed: c.Speed, Duration: c.Duration, Logger: env.logger,
			OnEvent: func(e simulate.Event) { fmt.Fprintf(env.err, "%s  %s\n", e.At.Local().Format(time.TimeOnly), e.Text) },
		})
	}
	if err != nil {
		return err
	}
	if c.Labels != "" {
		if err := writeFile(c.Labels, func(f *os.File) error {
			return network.WriteLabels(f, cfg.Start, c.end(cfg.Start))
		}); err != nil {
			return err
		}
	}
	if _, err := fmt.Fprintf(env.out, "%d flow records, %d datagrams sent, %d refused\n", stats.Records, stats.Datagrams, stats.SendErrors); err != nil {
		return err
	}
	if stats.SendErrors*4 >= stats.Datagrams { // a refusal tells of the datagram before it
		return fmt.Errorf("datagrams were refused: does a collector listen on UDP %s?", c.To)
	}
	return nil
}

// end is when the simulation that began at start ended, in stream time.
func (c *simulateCommand) end(start time.Time) time.Time {
	if c.Duration > 0 {
		return start.Add(c.Duration)
	}
	return start.Add(time.Duration(float64(time.Since(start)) * c.Speed))
}

func (c *simulateCommand) writePcap(ctx context.Context, network *simulate.Network) (stats simulate.Stats, err error) {
	err = writeFile(c.Pcap, func(f *os.File) error {
		stats, err = network.WritePcap(ctx, f, c.To, c.Duration)
		return err
	})
	return stats, err
}

// writeFile creates a file, has it filled and closes it.
func writeFile(name string, fill func(*os.File) error) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	if err := fill(f); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}
