package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"tapwatch/internal/app"
)

type replayCommand struct {
	Files []string `arg:"" name:"file" help:"Captures (pcap or pcapng, also gzipped) of exported flows over UDP." type:"existingfile"`
}

// Help shows an example.
func (replayCommand) Help() string {
	return `The records are decoded and enriched as what a router sends now, and stored with the captures' stamps as received_at. The
files are one stream: templates of the first serve the next. Works beside a running tapwatch on the same data.

Live detection looks at what arrives, not at what is replayed: ask in SQL. One exception: exporters of a capture of the
last day that send nothing now are reported as silent.

Example:

  tapwatch replay monday.pcap tuesday.pcap.gz`
}

// Run replays the files and prints what came of them.
func (c *replayCommand) Run(ctx context.Context, env *environment) error {
	cfg, err := env.load()
	if err != nil {
		return err
	}
	total, err := totalSize(c.Files)
	if err != nil {
		return err
	}
	started := time.Now()
	var done app.Replayed
	err = app.WithDatabase(ctx, cfg.Storage, env.logger, func(db *app.Database) error {
		bar := newProgress(env.err, total)
		defer bar.Close()
		done, err = app.Replay(ctx, cfg, db, c.Files, func(n int64) { bar.Add64(n) }, env.logger)
		return err
	})
	if err != nil {
		return err
	}
	return printReplayed(env.out, done, time.Since(started))
}

func totalSize(files []string) (total int64, err error) {
	for _, f := range files {
		info, err := os.Stat(f)
		if err != nil {
			return 0, err
		}
		total += info.Size()
	}
	return total, nil
}

// newProgress shows a bar where a person looks on, and nothing in a log file.
func newProgress(w io.Writer, total int64) *progressbar.ProgressBar {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return progressbar.DefaultBytesSilent(total, "")
	}
	return progressbar.NewOptions64(total, progressbar.OptionSetWriter(w), progressbar.OptionShowBytes(true),
		progressbar.OptionSetDescription("replaying"), progressbar.OptionSetPredictTime(true), progressbar.OptionClearOnFinish(),
		progressbar.OptionThrottle(100*time.Millisecond))
}

func printReplayed(w io.Writer, r app.Replayed, took time.Duration) error {
	_, err := fmt.Fprintf(w, "%d flow records and %d options records from %d datagrams stored in %v\n",
		r.Records, r.OptionsRecords, r.Datagrams, took.Round(time.Millisecond))
	if err != nil {
		return err
	}
	if r.Datagrams > 0 {
		fmt.Fprintf(w, "received between %s and %s UTC; live detection does not look at them\n",
			r.First.UTC().Format(time.DateTime), r.Last.UTC().Format(time.DateTime))
	}
	for _, reason := range slices.Sorted(maps.Keys(r.Dropped)) {
		fmt.Fprintf(w, "not decoded: %d %s\n", r.Dropped[reason], reason)
	}
	for _, skipped := range []struct {
		n   int
		why string
	}{
		{r.Skipped.NotUDP, "packets that are not UDP"},
		{r.Skipped.Fragments, "fragments that do not fit together"},
		{r.Skipped.Cut, "datagrams cut short by the capture: decoded as far as they go"},
	} {
		if skipped.n > 0 {
			fmt.Fprintf(w, "in the captures: %d %s\n", skipped.n, skipped.why)
		}
	}
	return nil
}
