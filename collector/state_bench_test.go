package collector

import (
	"encoding/json"
	"log/slog"
	"net/netip"
	"testing"
	"time"

	"tapwatch/flow"
)

// heavy is a protocol whose sessions keep what 20 templates of 30 fields take: four
// bytes a field, in base64 as JSON has bytes.
type heavy struct{ stub }

type heavySession struct {
	stub
	templates []heavyTemplate
}

type heavyTemplate struct {
	Domain uint32    `json:"domain"`
	ID     uint16    `json:"id"`
	Used   time.Time `json:"used"`
	Record []byte    `json:"record"`
}

func (heavy) Sessions(Limits) func() Session {
	return func() Session {
		s := &heavySession{}
		for i := range 20 {
			s.templates = append(s.templates, heavyTemplate{uint32(i / 4), uint16(256 + i), start, make([]byte, 4+30*4)})
		}
		return s
	}
}

func (s *heavySession) Size() Size {
	return Size{Templates: len(s.templates), TemplateFields: 38 * len(s.templates)}
}
func (s *heavySession) State() ([]byte, error) { return json.Marshal(s.templates) }
func (s *heavySession) Restore(state []byte, _ *Datagram) error {
	return json.Unmarshal(state, &s.templates)
}

// BenchmarkState saves and restores 10,000 exporters of 20 templates each, and says
// for how long it holds a worker up at most.
func BenchmarkState(b *testing.B) {
	const exporters = 10_000
	cfg := DefaultConfig()
	cfg.Limits.MaxExporters, cfg.Limits.MaxTemplateFieldsTotal = exporters, 100_000_000
	cfg.StateFile = b.TempDir() + "/state.json"
	fresh := func() *stateKeeper {
		w := &worker{decoder: NewDecoder(cfg, []Protocol{heavy{}}, nil)}
		return newStateKeeper(cfg, []*worker{w}, func(netip.Addr) *worker { return w }, func() time.Time { return start }, slog.New(slog.DiscardHandler))
	}
	k := fresh()
	d := k.workers[0].decoder
	var batch flow.Batch
	for n := range exporters {
		d.Datagram(&batch, port(addr(n)), start, []byte("r\x01"))
	}
	b.Run("changed", func(b *testing.B) {
		for b.Loop() {
			k.changed()
		}
	})
	b.Run("save", func(b *testing.B) {
		for b.Loop() {
			k.save()
		}
	})
	b.Run("restore", func(b *testing.B) {
		for b.Loop() {
			again := fresh()
			again.restore()
			if got := again.workers[0].decoder.templates(); got != 20*exporters {
				b.Fatalf("%d templates restored", got)
			}
		}
	})
	b.Run("encode", func(b *testing.B) {
		size := 0
		for b.Loop() {
			count := &counter{}
			if _, _, err := k.writeTo(count); err != nil {
				b.Fatal(err)
			}
			size = count.n
		}
		b.ReportMetric(float64(size), "file-bytes")
	})
	b.Run("held", func(b *testing.B) {
		longest := time.Duration(0)
		go func() {
			for range b.N {
				k.changed()
			}
		}()
		for b.Loop() {
			began := time.Now()
			d := k.workers[0]
			d.mu.Lock()
			took := time.Since(began)
			d.mu.Unlock()
			longest = max(longest, took)
		}
		b.ReportMetric(float64(longest.Microseconds()), "longest-µs")
	})
}

// counter counts what is written to it.
type counter struct{ n int }

func (c *counter) Write(p []byte) (int, error) { c.n += len(p); return len(p), nil }
