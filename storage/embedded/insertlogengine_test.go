package embedded_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tapwatch/internal/testkit"
	"tapwatch/storage"
	"tapwatch/storage/embedded"
)

// The engine knows its inserts again over restarts, also after one at which a line of its
// log was cut short and another insert was lost.
func TestInsertLogThatWasCutShort(t *testing.T) {
	for name, tail := range map[string]string{
		"a line":                     "1\tall_7_7",
		"a line, an insert was lost": "1\tall_6_6_0\tall_lost\n1\tall_7_7",
	} {
		t.Run(name, func(t *testing.T) {
			cfg := config(t)
			var s *storage.Store
			restart := func(engine *running) *running {
				t.Helper()
				if engine != nil {
					engine.stop(t)()
				}
				engine = run(t, cfg)
				s = testkit.Open(t, engine.Writer())
				return engine
			}
			insert := func(token string, want uint64) {
				t.Helper()
				do(t, s, "INSERT INTO inserts SETTINGS insert_deduplicate = 1, insert_deduplication_token = '"+token+"' VALUES (1)")
				if n := count(t, s, "SELECT count() FROM inserts"); n != want {
					t.Errorf("%d rows after insert %s, want %d", n, token, want)
				}
			}
			engine := restart(nil)
			if err := s.Migrate(t.Context(), storage.DefaultRetention()); err != nil {
				t.Fatal(err)
			}
			do(t, s, "CREATE TABLE inserts (a UInt8) ENGINE = MergeTree ORDER BY a SETTINGS non_replicated_deduplication_window = 1000")
			insert("first", 1)
			engine.stop(t)()
			cutShort(t, cfg, tail)
			engine = restart(engine)
			insert("first", 1)
			insert("second", 2)
			engine = restart(engine)
			insert("second", 2)
			insert("first", 2)
			insert("third", 3)
			restart(engine)
			insert("third", 3)
		})
	}
}

// cutShort adds to the one log that has an insert.
func cutShort(t *testing.T, cfg embedded.Config, tail string) {
	t.Helper()
	logs, err := filepath.Glob(filepath.Join(cfg.DataDir, "*", "store", "*", "*", "deduplication_logs", "*.txt"))
	if err != nil {
		t.Fatal(err)
	}
	cut := 0
	for _, log := range logs {
		text, err := os.ReadFile(log)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(text), "\tall_1_1_0\t") {
			continue
		}
		if err := os.WriteFile(log, append(text, tail...), 0o600); err != nil {
			t.Fatal(err)
		}
		cut++
	}
	if cut == 0 {
		t.Fatalf("none of %d logs has the insert", len(logs))
	}
}
