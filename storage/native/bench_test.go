package native_test

import (
	"context"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"tapwatch/flow"
	"tapwatch/internal/testkit"
	"tapwatch/storage/native"
)

const benchRecords = 50_000

// BenchmarkInsert inserts batches of 50 000 records into the embedded engine on the same
// machine, by each contender in turn: clickhouse-go's columns, as tapwatch did before
// this package, and this package with and without compression, and with five such batches in one insert; into flows, whose views
// feed two more tables, and into a copy that has no views. It reports records a second,
// this process's CPU time a record (the gateway to the engine is part of it), and both
// as multiples of clickhouse-go's.
func BenchmarkInsert(b *testing.B) {
	for name, batch := range map[string]*flow.Batch{"traffic": traffic(benchRecords), "every_column": everything(benchRecords)} {
		for _, table := range []string{"flows", "bare"} {
			b.Run(name+"/"+table, func(b *testing.B) { benchmarkInsert(b, table, batch) })
		}
	}
}

func benchmarkInsert(b *testing.B, table string, batch *flow.Batch) {
	s := testkit.Store(b)
	if err := s.Exec(b.Context(), "CREATE TABLE bare AS flows"); err != nil {
		b.Fatal(err)
	}
	o := options(b, s)
	contenders := []*contender{
		{name: "clickhouse-go", insert: columnar(b, o, table)},
		{name: "lz4", insert: ours(b, o, table, native.LZ4)},
		{name: "plain", insert: ours(b, o, table, native.Uncompressed)},
		{name: "plain-5-blocks", insert: ours(b, o, table, native.Uncompressed), blocks: 5},
	}
	for _, c := range contenders { // connect, and let buffers grow
		c.run(b, batch)
		c.wall, c.cpu = 0, 0
	}
	for b.Loop() {
		for _, c := range contenders {
			c.run(b, batch)
		}
	}
	before := contenders[0]
	for _, c := range contenders {
		records := float64(b.N * batch.Len() * max(1, c.blocks))
		b.ReportMetric(records/c.wall.Seconds(), c.name+"_records/s")
		b.ReportMetric(float64(c.cpu.Nanoseconds())/records, c.name+"_cpu-ns/record")
		if c != before {
			blocks := float64(max(1, c.blocks))
			b.ReportMetric(blocks*before.wall.Seconds()/c.wall.Seconds(), c.name+"_times-as-fast")
			b.ReportMetric(blocks*before.cpu.Seconds()/c.cpu.Seconds(), c.name+"_times-less-cpu")
		}
	}
	b.ReportMetric(0, "ns/op") // of all contenders together: it says nothing
}

// contender is one way to insert.
type contender struct {
	name      string
	insert    func(ctx context.Context, batch *flow.Batch, blocks int) error
	blocks    int // of an insert, each with the batch; 0 is 1
	wall, cpu time.Duration
}

func (c *contender) run(b *testing.B, batch *flow.Batch) {
	began, before := time.Now(), cpuTime(b)
	if err := c.insert(b.Context(), batch, max(1, c.blocks)); err != nil {
		b.Fatal(err)
	}
	c.wall += time.Since(began)
	c.cpu += cpuTime(b) - before
}

// cpuTime is what this process has used; the engine is another.
func cpuTime(b *testing.B) time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func ours(b *testing.B, o native.Options, table string, compression native.Compression) func(context.Context, *flow.Batch, int) error {
	o.Compression = compression
	c, e := client(b, o), native.NewEncoder()
	return func(ctx context.Context, batch *flow.Batch, blocks int) error {
		return c.Insert(ctx, native.Insert{Table: table, Token: token()}, func(yield func(*native.Block, error) bool) {
			for range blocks {
				if !yield(e.Encode(batch)) {
					return
				}
			}
		})
	}
}

// columnar inserts by clickhouse-go's batch of columns.
func columnar(b *testing.B, o native.Options, table string) func(context.Context, *flow.Batch, int) error {
	conn, err := clickhouse.Open(&clickhouse.Options{
		Addr:        o.Addresses,
		Auth:        clickhouse.Auth{Database: o.Database, Username: o.Username, Password: o.Password},
		Compression: &clickhouse.Compression{Method: clickhouse.CompressionLZ4},
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = conn.Close() })
	return func(ctx context.Context, batch *flow.Batch, _ int) error {
		return columnarInsert(ctx, conn, table, token(), batch)
	}
}

func columnarInsert(ctx context.Context, conn driver.Conn, table, token string, batch *flow.Batch) error {
	ctx = clickhouse.Context(ctx, clickhouse.WithSettings(clickhouse.Settings{
		"async_insert": 0, "insert_deduplicate": 1, "insert_deduplication_token": token,
		"deduplicate_blocks_in_dependent_materialized_views": 1, "max_partitions_per_insert_block": 0,
	}))
	var names []string
	var columns []any
	for i := range flow.Fields {
		if name := flow.Fields[i].Name; name != "start_at" && name != "end_at" {
			names = append(names, name)
			columns = append(columns, flow.Fields[i].Values(batch))
		}
	}
	delays, durations := make([]int64, batch.Len()), make([]int64, batch.Len())
	for i, end := range batch.EndAt {
		delays[i], durations[i] = batch.ReceivedAt[i]-end, end-batch.StartAt[i]
	}
	names, columns = append(names, "export_delay_ms", "duration_ms"), append(columns, delays, durations)
	rows, err := conn.PrepareBatch(ctx, "INSERT INTO "+table+" ("+strings.Join(names, ", ")+")")
	if err != nil {
		return err
	}
	for i, column := range columns {
		if err := rows.Column(i).Append(column); err != nil {
			return err
		}
	}
	return rows.Send()
}

// BenchmarkEncode is the encoder alone.
func BenchmarkEncode(b *testing.B) {
	for name, batch := range map[string]*flow.Batch{"traffic": traffic(benchRecords), "every_column": everything(benchRecords)} {
		b.Run(name, func(b *testing.B) {
			e := native.NewEncoder()
			b.ReportAllocs()
			for b.Loop() {
				if _, err := e.Encode(batch); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*batch.Len()), "ns/record")
		})
	}
}

// BenchmarkBytes is a block put into bytes, and read back.
func BenchmarkBytes(b *testing.B) {
	block := encode(b, traffic(benchRecords))
	data := block.Append(nil)
	b.Run("append", func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		b.ReportAllocs()
		for b.Loop() {
			data = block.Append(data[:0])
		}
	})
	b.Run("read", func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		b.ReportAllocs()
		var read native.Block
		for b.Loop() {
			if _, err := read.Read(data); err != nil {
				b.Fatal(err)
			}
		}
	})
}
