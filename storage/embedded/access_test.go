package embedded_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"tapwatch/internal/testkit"
	"tapwatch/storage"
)

// Nobody gets in without a password: not as the user "default", which the engine
// itself is, and not with a wrong password.
func TestNobodyGetsInWithoutAPassword(t *testing.T) {
	engine := testkit.Engine(t)
	for _, user := range []struct{ name, password string }{
		{"default", ""}, {"default", "x"}, {"tapwatch", ""}, {"tapwatch", "x"}, {"reader", ""}, {"nobody", ""}, {"", ""},
	} {
		t.Run(fmt.Sprintf("%q %q", user.name, user.password), func(t *testing.T) {
			endpoint := engine.Writer()
			if body, ok := overHTTP(t, endpoint.HTTPAddress, user.name, user.password); ok {
				t.Errorf("HTTP lets it in: %s", body)
			}
			endpoint.Username, endpoint.Password = user.name, user.password
			if err := overTCP(t, endpoint); err == nil {
				t.Error("the native protocol lets it in")
			}
		})
	}
	if body, ok := overHTTP(t, engine.Reader().HTTPAddress, "reader", engine.Reader().Password); !ok || body != "1\n" {
		t.Errorf("HTTP with the right password: %s", body)
	}
	if err := overTCP(t, engine.Reader()); err != nil {
		t.Errorf("the native protocol with the right password: %v", err)
	}
}

func overHTTP(t *testing.T, address, user, password string) (body string, ok bool) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+address, strings.NewReader("SELECT 1"))
	if err != nil {
		t.Fatal(err)
	}
	if user != "" {
		req.SetBasicAuth(user, password)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(data), res.StatusCode == http.StatusOK
}

func overTCP(t *testing.T, e storage.Endpoint) error {
	t.Helper()
	conn, err := clickhouse.Open(&clickhouse.Options{
		Addr: e.Addresses, Auth: clickhouse.Auth{Database: "system", Username: e.Username, Password: e.Password},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	return conn.Exec(t.Context(), "SELECT 1")
}

// The reader reads what tapwatch stores and can do no harm with it.
func TestReader(t *testing.T) {
	s := testkit.Store(t)
	do(t, s, "INSERT INTO flows (bytes, watched) VALUES (7, true)")
	reader := testkit.Reader(t, s)
	for _, query := range []string{
		"SELECT count() FROM flows", "SELECT count() FROM flows_text", "SELECT count() FROM watched_flows",
		"SELECT toUInt64(count() + 1) FROM alerts", "SELECT count() FROM system.columns WHERE database = currentDatabase() AND table = 'flows'",
		"SELECT count() FROM system.tables WHERE database = currentDatabase()",
		"SELECT count() FROM system.parts WHERE database = currentDatabase()",
		"SELECT count() FROM numbers(3)", "SELECT count() FROM flows SETTINGS max_threads = 1",
		"WITH f AS (SELECT * FROM flows) SELECT count() FROM f",
	} {
		if count(t, reader, query) == 0 {
			t.Errorf("%s gives nothing", query)
		}
	}
	do(t, reader, "DESCRIBE flows")
	do(t, reader, "SHOW TABLES")
	do(t, reader, "EXPLAIN indexes = 1 SELECT * FROM flows")

	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, statement := range []string{
		"INSERT INTO flows (bytes) VALUES (1)", "DROP TABLE flows", "TRUNCATE TABLE flows", "ALTER TABLE flows DELETE WHERE 1",
		"CREATE TABLE mine (a Int8) ENGINE = Memory", "CREATE DATABASE mine", "DROP DATABASE " + s.Database(),
		"OPTIMIZE TABLE flows", "SYSTEM STOP MERGES flows", "SYSTEM SHUTDOWN", "SYSTEM STOP LISTEN TCP", "KILL QUERY WHERE 1",
		"SELECT * FROM system.users", "SELECT * FROM system.query_log", "SELECT * FROM system.processes",
		"SELECT * FROM system.server_settings", "SELECT * FROM system.text_log",
		"CREATE USER u", "GRANT SELECT ON *.* TO reader", "SET ROLE ALL", "SET readonly = 0",
		"SELECT * FROM file('" + secret + "', LineAsString)", "SELECT * FROM file('/etc/passwd', LineAsString)",
		"SELECT * FROM url('http://127.0.0.1:1/', LineAsString)", "SELECT * FROM remote('127.0.0.1', system.one)",
		"SELECT * FROM executable('id', TabSeparated, 'a String')", "SELECT * FROM mysql('127.0.0.1:1', 'a', 'b', 'c', 'd')",
		"SET max_execution_time = 0", "SET max_execution_time = 301", "SET max_memory_usage = 0",
		"SELECT sleepEachRow(3) FROM numbers(2) SETTINGS max_block_size = 1, max_execution_time = 1",
		"SELECT groupArray(number) FROM numbers(1e9) SETTINGS max_memory_usage = 10000000",
		"SELECT * FROM default.anything",
	} {
		err := reader.Exec(t.Context(), statement)
		if statement == "SET ROLE ALL" && err == nil {
			continue // it has none
		}
		if err == nil {
			t.Errorf("the reader may: %s", statement)
		}
	}
	// The native protocol leaves the file to the client.
	do(t, reader, "SELECT count() FROM flows INTO OUTFILE '"+secret+".out'")
	if _, err := os.Stat(secret + ".out"); err == nil {
		t.Error("the reader wrote a file")
	}
	if got := count(t, s, "SELECT sum(bytes) FROM flows"); got != 7 {
		t.Errorf("after all that sum(bytes) = %d, want 7", got)
	}
}

// clickhouse-go sets max_execution_time from a context's deadline.
func TestReaderWithADeadline(t *testing.T) {
	reader := testkit.Reader(t, testkit.Store(t))
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := reader.Exec(ctx, "SELECT 1"); err != nil {
		t.Error(err)
	}
}

// ClickHouse's logs about itself are few and end.
func TestSystemLogsAreBounded(t *testing.T) {
	s := testkit.Store(t)
	do(t, s, "SELECT 1")
	do(t, s, "SYSTEM FLUSH LOGS")
	var logs []struct {
		Name   string `ch:"name"`
		Engine string `ch:"engine_full"`
	}
	if err := s.Select(t.Context(), &logs, "SELECT name, engine_full FROM system.tables WHERE database = 'system' AND engine LIKE '%MergeTree'"); err != nil {
		t.Fatal(err)
	}
	if len(logs) == 0 {
		t.Error("there is no query_log")
	}
	for _, log := range logs {
		if log.Name != "query_log" && log.Name != "part_log" {
			t.Errorf("there is a system.%s", log.Name)
		}
		if !strings.Contains(log.Engine, "TTL event_date + toIntervalDay(3)") {
			t.Errorf("system.%s has no TTL of 3 days: %s", log.Name, log.Engine)
		}
	}
}
