package app

import (
	"context"
	"errors"
	"testing"
	"time"

	"tapwatch/console"
	"tapwatch/internal/testkit"
	"tapwatch/storage"
)

// hunterOn is a hunter of a fresh database, for a user.
func hunterOn(t *testing.T, user func() storage.Endpoint) (*hunter, *storage.Store) {
	t.Helper()
	s := testkit.Store(t)
	at := user()
	at.Database = s.Database()
	h := &hunter{logger: testkit.Logger(t)}
	h.at.Store(&at)
	t.Cleanup(func() {
		if err := h.close(); err != nil {
			t.Error(err)
		}
	})
	return h, s
}

func TestHunterReadsAsTheReader(t *testing.T) {
	h, s := hunterOn(t, testkit.Engine(t).Reader)
	if err := s.Exec(t.Context(), "INSERT INTO flows (bytes, src_addr) SELECT number, '192.0.2.1' FROM numbers(5)"); err != nil {
		t.Fatal(err)
	}
	found, err := h.Hunt(t.Context(), "SELECT src_addr, bytes FROM flows WHERE bytes >= {least:UInt64} ORDER BY bytes", map[string]string{"least": "2"}, 2)
	if err != nil || len(found.Rows) != 2 || !found.Truncated || found.Rows[0][0] != "192.0.2.1" || found.Rows[1][1] != uint64(3) {
		t.Errorf("%+v, %v", found, err)
	}
	if len(found.Columns) != 2 || found.Columns[0] != (console.HuntColumn{Name: "src_addr", Type: "IPv6"}) {
		t.Errorf("%+v", found.Columns)
	}
	var refusal *console.HuntError
	for _, query := range []string{"INSERT INTO flows (bytes) SELECT 1", "SELECT nothing_such FROM flows", "SELECT * FROM system.users"} {
		if _, err := h.Hunt(t.Context(), query, nil, 1); !errors.As(err, &refusal) || refusal.Limit {
			t.Errorf("%s: %v", query, err)
		}
	}
	if _, err := h.Hunt(t.Context(), "SELECT sleepEachRow(1) FROM numbers(9) SETTINGS max_block_size = 1, max_execution_time = 1", nil, 9); !errors.As(err, &refusal) || !refusal.Limit {
		t.Errorf("%v", err)
	}
}

// TestHunterOfTheWriter: where no read-only user is configured, hunts write no more.
func TestHunterOfTheWriter(t *testing.T) {
	h, _ := hunterOn(t, testkit.Engine(t).Writer)
	if _, err := h.Hunt(t.Context(), "TRUNCATE TABLE flows", nil, 1); err == nil {
		t.Error("a hunt may truncate")
	}
}

func TestHuntEndsInClickHouse(t *testing.T) {
	h, s := hunterOn(t, testkit.Engine(t).Reader)
	ctx, leave := context.WithCancel(t.Context())
	time.AfterFunc(300*time.Millisecond, leave)
	if _, err := h.Hunt(ctx, "SELECT sleepEachRow(0.1), 'abandoned hunt' FROM numbers(300) SETTINGS max_block_size = 1", nil, 1000); err == nil {
		t.Error("the hunt went on without its client")
	}
	testkit.Eventually(t, "the query ends in ClickHouse", func() bool {
		var n uint64
		err := s.QueryRow(t.Context(), "SELECT count() FROM system.processes WHERE query LIKE '%abandoned hunt%' AND query NOT LIKE '%processes%'").Scan(&n)
		return err == nil && n == 0
	})
}

func TestHunterBeforeClickHouseAnswers(t *testing.T) {
	h := &hunter{logger: testkit.Logger(t)}
	if _, err := h.Hunt(t.Context(), "SELECT 1", nil, 1); !errors.Is(err, errNotReady) {
		t.Errorf("%v", err)
	}
}
