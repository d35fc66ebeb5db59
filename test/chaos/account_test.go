//go:build linux

package chaos

import (
	"fmt"
	"testing"

	"tapwatch/storage"
)

// holdings are what is stored of the records with numbers in a range. `bytes` is the
// number of a record.
type holdings struct {
	Flows    uint64 `ch:"flows"`
	Distinct uint64 `ch:"distinct"`
	Least    uint64 `ch:"least"`
	Greatest uint64 `ch:"greatest"`
}

// holds tells what is stored of the records with numbers from first up to, not
// including, end.
func holds(t *testing.T, store *storage.Store, first, end uint64) holdings {
	t.Helper()
	var rows []holdings
	err := store.Select(t.Context(), &rows, fmt.Sprintf(`SELECT count() AS flows, uniqExact(bytes) AS distinct,
		min(bytes) AS least, max(bytes) AS greatest FROM flows WHERE bytes >= %d AND bytes < %d`, first, end))
	if err != nil {
		t.Fatal(err)
	}
	return rows[0]
}

// once fails the test unless `flows` holds want records, each once, and every dependent
// table what follows from them.
func once(t *testing.T, store *storage.Store, want uint64) {
	t.Helper()
	got := holds(t, store, 0, 1<<63)
	t.Logf("%d records counted, %d stored, %d different ones", want, got.Flows, got.Distinct)
	if got.Flows != want {
		t.Errorf("flows holds %d records, %d more than counted", got.Flows, int64(got.Flows)-int64(want))
	}
	if got.Flows != got.Distinct {
		t.Errorf("flows holds %d records twice", got.Flows-got.Distinct)
	}
	agree(t, store)
}

// agreement is a question to `flows`, and one to a dependent table that must have the
// same answer.
type agreement struct{ flows, table string }

// inZone is which records touch the protected zone.
var inZone = fmt.Sprintf("bytes %% %d = 0", watchedEvery)

var agreements = []agreement{
	{"SELECT count(), sum(bytes), groupBitXor(bytes) FROM flows WHERE " + inZone, "SELECT count(), sum(bytes), groupBitXor(bytes) FROM watched_flows"},
	{"SELECT count(), sum(bytes), sum(packets) FROM flows", "SELECT sum(flows), sum(bytes), sum(packets) FROM exporter_activity"},
	{"SELECT count(), sum(bytes), sum(packets) FROM flows WHERE " + inZone, "SELECT sum(flows), sum(bytes), sum(packets) FROM conversations_minute"},
	{"SELECT count(), sum(bytes), sum(packets) FROM flows WHERE " + inZone, "SELECT sum(flows), sum(bytes), sum(packets) FROM conversations_hour"},
}

// agree fails the test where a dependent table does not hold what it must by `flows`.
func agree(t *testing.T, store *storage.Store) {
	t.Helper()
	for _, a := range agreements {
		want, got := triple(t, store, a.flows), triple(t, store, a.table)
		if want != got {
			t.Errorf("%s gives %d, and %s gives %d", a.flows, want, a.table, got)
		}
	}
}

// triple gives the three numbers of a query's one row.
func triple(t *testing.T, store *storage.Store, query string) (n [3]uint64) {
	t.Helper()
	if err := store.QueryRow(t.Context(), query).Scan(&n[0], &n[1], &n[2]); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}
