package embedded_test

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"tapwatch/internal/testkit"
	"tapwatch/storage"
)

// plainHTTP asks over ClickHouse's plain HTTP interface, as curl and Grafana do.
type plainHTTP struct {
	at       storage.Endpoint
	database string
}

// ask sends a query in the body of a POST, or in the address of a GET.
func (h plainHTTP) ask(t *testing.T, method, query string, settings url.Values) (status int, body string) {
	t.Helper()
	values := url.Values{"database": {h.database}}
	for name := range settings {
		values.Set(name, settings.Get(name))
	}
	var content io.Reader
	if method == http.MethodGet {
		values.Set("query", query)
	} else {
		content = strings.NewReader(query)
	}
	r, err := http.NewRequestWithContext(t.Context(), method, "http://"+h.at.HTTPAddress+"/?"+values.Encode(), content)
	if err != nil {
		t.Fatal(err)
	}
	r.SetBasicAuth(h.at.Username, h.at.Password)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(text)
}

// TestReaderOverHTTP: who asks over HTTP reads in any format and can do no harm.
func TestReaderOverHTTP(t *testing.T) {
	s := testkit.Store(t)
	do(t, s, "INSERT INTO flows (bytes, src_addr) VALUES (7, '192.0.2.1')")
	h := plainHTTP{testkit.Engine(t).Reader(), s.Database()}
	const query = "SELECT bytes, src_addr FROM flows_text"
	for format, want := range map[string]string{
		"": "7\t192.0.2.1\n", "CSVWithNames": "\"bytes\",\"src_addr\"\n7,\"192.0.2.1\"\n",
		"JSONEachRow": `{"bytes":7,"src_addr":"192.0.2.1"}` + "\n", "TabSeparatedWithNames": "bytes\tsrc_addr\n7\t192.0.2.1\n",
		"Parquet": "PAR1", "Vertical": "Row 1:",
	} {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			asked := query
			if format != "" {
				asked += " FORMAT " + format
			}
			if status, body := h.ask(t, method, asked, nil); status != http.StatusOK || !strings.HasPrefix(body, want) {
				t.Errorf("%s in %q: %d %q", method, format, status, body)
			}
		}
	}
	parameters := url.Values{"param_a": {"192.0.2.1"}, "max_threads": {"1"}, "max_execution_time": {"5"}}
	if status, body := h.ask(t, http.MethodGet, "SELECT bytes FROM flows WHERE src_addr = toIPv6({a:String})", parameters); status != http.StatusOK || body != "7\n" {
		t.Errorf("with a parameter: %d %s", status, body)
	}
	for _, statement := range []string{
		"INSERT INTO flows (bytes) VALUES (1)", "INSERT INTO flows (bytes) FORMAT CSV\n1\n", "INSERT INTO flows (bytes) SELECT 1",
		"CREATE TABLE mine (a Int8) ENGINE = Memory", "CREATE TEMPORARY TABLE mine (a Int8)", "ALTER TABLE flows DELETE WHERE 1",
		"ALTER TABLE flows ADD COLUMN a Int8", "DROP TABLE flows", "TRUNCATE TABLE flows", "SET max_memory_usage = 0", "SET max_execution_time = 3600",
		"SET readonly = 0", "SYSTEM SHUTDOWN", "SELECT 1 INTO OUTFILE '/tmp/tapwatch-outfile'", "SELECT * FROM url('http://127.0.0.1:1/', LineAsString)",
	} {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			if status, body := h.ask(t, method, statement, nil); status == http.StatusOK {
				t.Errorf("%s: the reader may: %s\n%s", method, statement, body)
			}
		}
	}
	for name, value := range map[string]string{
		"readonly": "0", "max_execution_time": "301", "max_memory_usage": "0", "log_queries": "0", "max_concurrent_queries_for_user": "1000",
	} {
		if status, body := h.ask(t, http.MethodPost, "SELECT 1", url.Values{name: {value}}); status == http.StatusOK {
			t.Errorf("the reader may set %s = %s: %s", name, value, body)
		}
	}
	if got := count(t, s, "SELECT toUInt64(sum(bytes) * 10 + count()) FROM flows"); got != 71 {
		t.Errorf("after all that the flows are others: %d", got)
	}
}

// TestWrongPasswordOverHTTP: the engine itself would end on one.
func TestWrongPasswordOverHTTP(t *testing.T) {
	s := testkit.Store(t)
	right := plainHTTP{testkit.Engine(t).Reader(), s.Database()}
	wrong := right
	wrong.at.Password = "x"
	for range 20 {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			if status, body := wrong.ask(t, method, "SELECT 1", nil); status != http.StatusUnauthorized || !strings.Contains(body, "Code: 516") {
				t.Errorf("%s: %d %s", method, status, body)
			}
		}
	}
	if status, body := right.ask(t, http.MethodGet, "SELECT 1", nil); status != http.StatusOK || body != "1\n" {
		t.Errorf("after that the right password answers %d %s", status, body)
	}
	if status, body := right.ask(t, http.MethodPost, "SELECT 1", url.Values{"database": {"nowhere"}}); status == http.StatusOK {
		t.Errorf("a database that is not there: %s", body)
	}
	if got := count(t, s, "SELECT toUInt64(uptime() >= 0)"); got != 1 {
		t.Error("the engine is gone")
	}
}
