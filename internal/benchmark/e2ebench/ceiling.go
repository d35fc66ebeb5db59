package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"tapwatch/flow"
	"tapwatch/internal/app"
	"tapwatch/internal/benchmark/measure"
	"tapwatch/storage/embedded"
	"tapwatch/storage/native"
)

// contender is a way to insert.
type contender struct {
	table       string
	connections int // that insert side by side
}

// contenders are for the ceiling: the best of those into flows counts. The other table is
// the same without the views, and shows what they cost.
var contenders = []contender{{"flows", 1}, {"flows", 2}, {withoutViews, 2}}

const withoutViews = "e2ebench_flows"

// measureCeiling gives how many rows a second the engine stores, in the table flows with
// all that its views feed, when it gets ready-made columns and nothing else runs.
func (b *bench) measureCeiling(ctx context.Context) (best float64, err error) {
	cfg, err := configuration(b.dir)
	if err != nil {
		return 0, err
	}
	blocks, rows, err := b.blocks(cfg)
	if err != nil {
		return 0, err
	}
	b.report.Say("\nceiling: %d records of the same datagrams, decoded, enriched and encoded before in blocks of %d, inserted for %s", rows, rows/len(blocks), b.ceiling)
	logger := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	err = app.WithDatabase(ctx, cfg.Storage, logger, func(db *app.Database) error {
		state, _ := embedded.Running(cfg.Storage.Embedded.DataDir)
		to := state.WriterEndpoint()
		client := native.New(native.Options{Addresses: to.Addresses, Database: to.Database, Username: to.Username, Password: to.Password})
		defer client.Close()
		if err := db.Exec(ctx, "CREATE TABLE "+withoutViews+" AS flows"); err != nil {
			return err
		}
		for _, c := range contenders {
			if err := empty(ctx, db.Store); err != nil {
				return err
			}
			rate, err := b.insertFor(ctx, client, blocks, c, state.PID)
			if err != nil {
				return err
			}
			if c.table == withoutViews {
				b.report.Add("ceiling_without_views_flows_per_s", rate)
			} else {
				best = max(best, rate)
			}
		}
		return errors.Join(db.Exec(ctx, "DROP TABLE "+withoutViews+" SYNC"), empty(ctx, db.Store))
	})
	return best, err
}

// blocks are the records of the ring as the writer would insert them.
func (b *bench) blocks(cfg app.Config) (blocks []native.Block, rows int, err error) {
	r, err := newRing(b.records, b.flowRate)
	if err != nil {
		return nil, 0, err
	}
	decoders, chain, err := app.Stages(cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, 0, err
	}
	decoder, encoder := decoders(), native.NewEncoder()
	sequences := make([]uint32, len(r.routers))
	var batch flow.Batch
	flush := func() error {
		chain.Enrich(&batch)
		encoded, err := encoder.Encode(&batch)
		if err != nil {
			return err
		}
		var block native.Block // of bytes of its own
		if _, err := block.Read(encoded.Append(nil)); err != nil {
			return err
		}
		blocks, rows = append(blocks, block), rows+batch.Len()
		batch.Reset()
		return nil
	}
	at := time.Now()
	for i := range r.datagrams {
		d := &r.datagrams[i]
		d.stamp(sequences, at)
		decoder.Datagram(&batch, r.from(d.router), at, d.payload)
		at = at.Add(time.Duration(d.records) * 2500 * time.Nanosecond) // as at 400,000 flows a second
		if batch.Len() >= cfg.Storage.Batch.Records || i == len(r.datagrams)-1 {
			if err := flush(); err != nil {
				return nil, 0, err
			}
		}
	}
	if rows != r.records {
		return nil, 0, fmt.Errorf("%d of %d records were decoded", rows, r.records)
	}
	return blocks, rows, nil
}

// insertFor inserts the blocks over and over, and gives the rows a second.
func (b *bench) insertFor(ctx context.Context, client *native.Client, blocks []native.Block, c contender, engine int) (float64, error) {
	before, err := measure.CPU(engine)
	if err != nil {
		return 0, err
	}
	began := time.Now()
	var next, rows atomic.Int64
	group, ctx := errgroup.WithContext(ctx)
	for range c.connections {
		group.Go(func() error {
			for time.Since(began) < b.ceiling {
				n := next.Add(1)
				block := &blocks[int(n)%len(blocks)]
				token := "ceiling/" + strconv.FormatInt(began.UnixNano(), 36) + "/" + strconv.FormatInt(n, 10)
				if err := client.Insert(ctx, native.Insert{Table: c.table, Token: token}, native.One(block)); err != nil {
					return err
				}
				rows.Add(int64(block.Rows()))
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return 0, err
	}
	took := time.Since(began)
	after, err := measure.CPU(engine)
	if err != nil {
		return 0, err
	}
	rate := float64(rows.Load()) / took.Seconds()
	b.report.Say("  %-14s %d connections: %d rows, %.0f/s; the engine computed %.0f ns a row", c.table, c.connections, rows.Load(), rate, float64((after-before).Nanoseconds())/float64(rows.Load()))
	return rate, nil
}
