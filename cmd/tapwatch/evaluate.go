package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime/pprof"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"tapwatch/internal/app"
	"tapwatch/internal/evaluate"
	"tapwatch/simulate/campaign"
)

type evaluateCommand struct {
	Seed       uint64        `help:"First seed; the same seed gives the same campaign." default:"1"`
	Seeds      int           `help:"How many campaigns, of as many seeds." default:"1"`
	AtOnce     int           `help:"How many campaigns are measured at the same time: two keep two cores busier than one." default:"1"`
	History    time.Duration `help:"How long there are no intrusions." default:"336h"`
	Attack     time.Duration `help:"How long there are, after that." default:"336h"`
	Pairs      int           `help:"About how many pairs of protected systems and peers there are." default:"10000"`
	Instances  int           `help:"How often each technique and each look-alike is planted." default:"3"`
	Techniques []string      `help:"Only these techniques, separated by commas." placeholder:"NAME"`
	Quiet      bool          `help:"Plant look-alikes only, no intrusions."`
	Detectors  []string      `help:"Only these detectors, separated by commas." placeholder:"NAME"`
	Rules      string        `help:"File with the key detect: of a configuration, to be measured instead of the settings in force." type:"existingfile" placeholder:"FILE"`
	Keep       string        `help:"Folder where the campaigns' databases are kept, for a next run with other rules or detectors, and for SQL ('tapwatch sql' with storage.embedded.data_dir set to DIR/seed-N/data)." placeholder:"DIR"`
	Format     string        `help:"How the scoreboard comes out: table or json." enum:"table,json" default:"table"`
	Bench      bool          `help:"End with a line 'bench NAME VALUE' for each figure."`
	Details    bool          `help:"Also list what was missed, and each false alert."`
	CPUProfile string        `name:"cpu-profile" hidden:"" placeholder:"FILE"`
	Alerts     string        `help:"File for all alerts, one JSON object a line, each with what is behind it." placeholder:"FILE"`
}

// Help shows an example.
func (evaluateCommand) Help() string {
	return `Generates campaigns (weeks of traffic of a carrier, with intrusions and benign look-alikes planted in it), sends them through
decoder, enrichment, storage and detectors, and says what was found, how soon, and what was raised for nothing. Nothing of
it touches your own data: each campaign has a ClickHouse of its own, in a temporary folder (some GB, gone afterwards).

Example:

  tapwatch evaluate --seeds 3 --details
  tapwatch evaluate --techniques tunnel-gre,li-login --history 48h --attack 48h --pairs 400

Techniques: ` + strings.Join(campaign.Techniques(), ", ") + `.

A campaign of the default size takes about seven minutes on two cores.`
}

// Run measures campaign by campaign and prints the scoreboard.
func (c *evaluateCommand) Run(ctx context.Context, env *environment) error {
	cfg, err := env.load()
	if err != nil {
		return err
	}
	rules := cfg.Rules()
	rules.Only = c.Detectors
	if rules, err = triedRules(rules, c.Rules); err != nil {
		return misuse{err}
	}
	if c.CPUProfile != "" {
		f, err := os.Create(c.CPUProfile)
		if err != nil {
			return err
		}
		defer f.Close()
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	results := make([]evaluate.Result, max(c.Seeds, 0))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(max(c.AtOnce, 1))
	for i := range results {
		group.Go(func() (err error) {
			results[i], err = c.campaign(ctx, env, cfg, rules, c.Seed+uint64(i))
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	if c.Alerts != "" {
		if err := saveAlerts(c.Alerts, results); err != nil {
			return err
		}
	}
	return c.print(env, evaluate.Sum(results))
}

// campaign measures one campaign, in a database of its own.
func (c *evaluateCommand) campaign(ctx context.Context, env *environment, cfg app.Config, rules app.Rules, seed uint64) (r evaluate.Result, err error) {
	plan := campaign.DefaultConfig()
	plan.Seed, plan.History, plan.Attack, plan.Pairs, plan.Instances = seed, c.History, c.Attack, c.Pairs, c.Instances
	plan.Techniques, plan.Quiet = c.Techniques, c.Quiet
	if err := plan.Validate(); err != nil {
		return r, misuse{err}
	}
	dir, done, err := c.dir(seed)
	if err != nil {
		return r, err
	}
	defer done()
	own := app.DefaultConfig().Storage
	own.Embedded = cfg.Storage.Embedded
	own.Embedded.DataDir, own.Spool.Dir = filepath.Join(dir, "data"), filepath.Join(dir, "spool")
	err = app.WithDatabase(ctx, own, env.logger, func(db *app.Database) error {
		e := app.Evaluation{Campaign: plan, Detect: rules.Detect, Only: rules.Only, Dir: dir, Say: func(what string, took time.Duration) {
			fmt.Fprintf(env.err, "seed %d: %s: %v\n", seed, what, took.Round(time.Millisecond))
		}}
		r, err = app.Evaluate(ctx, e, db.Store, env.logger)
		return err
	})
	return r, err
}

// dir gives a campaign's folder, and what ends its use.
func (c *evaluateCommand) dir(seed uint64) (dir string, done func(), err error) {
	if c.Keep != "" {
		dir = filepath.Join(c.Keep, fmt.Sprintf("seed-%d", seed))
		return dir, func() {}, os.MkdirAll(dir, 0o700)
	}
	dir, err = os.MkdirTemp("", "tapwatch-evaluate-")
	return dir, func() { os.RemoveAll(dir) }, err
}

// print writes the scoreboard.
func (c *evaluateCommand) print(env *environment, b evaluate.Board) error {
	if c.Format == "json" {
		return json.NewEncoder(env.out).Encode(b)
	}
	if err := b.WriteTable(env.out); err != nil {
		return err
	}
	if c.Details {
		for _, o := range b.Missed {
			fmt.Fprintf(env.out, "missed: %s (%s), %v with %v, from %s; raised by %v\n", o.Label.ID, o.Label.Strength, some(o.Label.Assets), some(o.Label.Peers), o.Label.First.Format(time.DateTime), o.By)
		}
		for _, a := range b.Wrong {
			fmt.Fprintf(env.out, "false: %s %s/%s %s: %s %s\n", a.FirstSeen.Format(time.DateTime), a.Detector, a.Rule, a.Severity, a.Title, behind(a))
		}
	}
	if c.Bench {
		return b.WriteBench(env.out)
	}
	return nil
}

// some are the first of a list.
func some[T any](all []T) []T { return all[:min(3, len(all))] }

func behind(a evaluate.Judged) string {
	if a.Trap == "" {
		return ""
	}
	return "[" + a.Trap + "]"
}

// saveAlerts writes all alerts with what is behind each.
func saveAlerts(name string, results []evaluate.Result) (err error) {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	defer func() {
		if closeErr := f.Close(); err == nil {
			err = closeErr
		}
	}()
	type row struct {
		Seed uint64 `json:"seed"`
		evaluate.Judged
	}
	for _, r := range results {
		for _, a := range r.Alerts {
			if err := writeJSON(f, []row{{r.Seed, a}}); err != nil {
				return err
			}
		}
	}
	return nil
}
