package embedded_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/ch-go/proto"
	"github.com/ClickHouse/clickhouse-go/v2"

	"tapwatch/internal/testkit"
)

// abuser is a client that does not behave.
type abuser struct {
	t *testing.T
	*net.TCPConn
}

func abuse(t *testing.T, address string) abuser {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() }) // most are closed already
	return abuser{t, c.(*net.TCPConn)}
}

func (a abuser) send(data []byte) abuser {
	a.t.Helper()
	if _, err := a.Write(data); err != nil {
		a.t.Fatal(err)
	}
	return a
}

// read waits for an answer of whatever kind, or the end.
func (a abuser) read() []byte {
	_ = a.SetReadDeadline(time.Now().Add(patience))
	data := make([]byte, 64<<10)
	n, _ := a.Read(data)
	return data[:n]
}

func (a abuser) reset() {
	_ = a.SetLinger(0)
	_ = a.Close()
}

func (a abuser) close() { _ = a.Close() }

// patience is how long an abuser waits for an answer.
const patience = 20 * time.Second

func hello(user, password, database string) []byte {
	var b proto.Buffer
	proto.ClientHello{
		Name: "abuser", Major: 1, Minor: 1, ProtocolVersion: 54200, Database: database, User: user, Password: password,
	}.Encode(&b)
	return b.Buf
}

// query is a query packet of an old client, which needs fewer members.
func query(sql string) []byte {
	var b proto.Buffer
	proto.ClientCodeQuery.Encode(&b)
	b.PutString("") // no query id
	b.PutByte(1)    // initial query
	b.PutString("")
	b.PutString("")
	b.PutString("0.0.0.0:0")
	b.PutByte(1) // TCP
	b.PutString("")
	b.PutString("")
	b.PutString("abuser")
	b.PutUVarInt(1)
	b.PutUVarInt(1)
	b.PutUVarInt(54200)
	b.PutString("")
	b.PutString("") // no settings
	b.PutUVarInt(2) // complete
	b.PutUVarInt(0) // uncompressed
	b.PutString(sql)
	return append(b.Buf, emptyBlock()...)
}

func emptyBlock() []byte {
	var b proto.Buffer
	proto.ClientCodeData.Encode(&b)
	b.PutString("")
	b.PutRaw([]byte{1, 0, 2, 0xff, 0xff, 0xff, 0xff, 0})
	b.PutUVarInt(0)
	b.PutUVarInt(0)
	return b.Buf
}

// No client can end the engine: clickhouse-local, which it is, ends on any error
// that reaches the thread of a connection.
func TestClientsCannotEndTheEngine(t *testing.T) {
	engine := run(t, config(t))
	pid := engine.State().PID
	writer := engine.Writer()
	good := hello(writer.Username, writer.Password, "system")
	garbage := make([]byte, 500)
	for i := range garbage {
		garbage[i] = byte(rand.Uint32())
	}
	auth := fmt.Sprintf("X-ClickHouse-User: %s\r\nX-ClickHouse-Key: %s\r\n", writer.Username, writer.Password)
	post := func(path, more string) []byte {
		return []byte("POST " + path + " HTTP/1.1\r\nHost: x\r\n" + auth + more)
	}
	const insert = "/?query=INSERT+INTO+FUNCTION+null('a+Int8')+FORMAT+TSV"
	numbers := query("SELECT number FROM system.numbers")
	native := func(act func(a abuser)) func() {
		return func() { act(abuse(t, writer.Addresses[0])) }
	}
	web := func(act func(a abuser)) func() {
		return func() { act(abuse(t, writer.HTTPAddress)) }
	}
	in := func(act func(a abuser)) func() {
		return native(func(a abuser) { a.send(good).read(); act(a) })
	}
	for _, c := range []struct {
		name string
		act  func()
	}{
		{"native: close", native(func(a abuser) { a.close() })},
		{"native: reset", native(func(a abuser) { a.reset() })},
		{"native: garbage", native(func(a abuser) { a.send(garbage).read(); a.close() })},
		{"native: http", native(func(a abuser) { a.send([]byte("GET / HTTP/1.0\r\n\r\n")).read(); a.close() })},
		{"native: half a hello, close", native(func(a abuser) { a.send(good[:6]).close() })},
		{"native: half a hello, reset", native(func(a abuser) { a.send(good[:6]).reset() })},
		{"native: endless hello", native(func(a abuser) { a.send([]byte{0, 0xff, 0xff, 0xff, 0xff, 0x7f}).read(); a.close() })},
		{"native: wrong password", native(func(a abuser) { a.send(hello(writer.Username, "x", "")).read(); a.close() })},
		{"native: wrong user", native(func(a abuser) { a.send(hello("nobody", "", "")).read(); a.close() })},
		{"native: default", native(func(a abuser) { a.send(hello("default", "", "")).read(); a.close() })},
		{"native: unknown database", native(func(a abuser) {
			if got := a.send(hello(writer.Username, writer.Password, "no such")).read(); !bytes.Contains(got, []byte("Database no such does not exist")) {
				t.Errorf("hello with an unknown database is answered %q", got)
			}
			a.close()
		})},
		{"native: in, close", in(func(a abuser) { a.close() })},
		{"native: in, reset", in(func(a abuser) { a.reset() })},
		{"native: query, reset", in(func(a abuser) { a.send(numbers).read(); a.reset() })},
		{"native: query, close", in(func(a abuser) { a.send(numbers).read(); a.close() })},
		{"native: half a query, reset", in(func(a abuser) { a.send(numbers[:20]).reset() })},
		{"native: half a query, close", in(func(a abuser) { a.send(numbers[:20]).close() })},
		{"native: insert, reset", in(func(a abuser) { a.send(query("INSERT INTO FUNCTION null('a Int8') VALUES")).read(); a.reset() })},
		{"native: insert, close", in(func(a abuser) { a.send(query("INSERT INTO FUNCTION null('a Int8') VALUES")).read(); a.close() })},
		{"native: bad query", in(func(a abuser) { a.send(query("SELEC")).read(); a.close() })},
		{"http: close", web(func(a abuser) { a.close() })},
		{"http: reset", web(func(a abuser) { a.reset() })},
		{"http: garbage", web(func(a abuser) { a.send(garbage).reset() })},
		{"http: half a header, reset", web(func(a abuser) { a.send(post("/", "X-Half")).reset() })},
		{"http: half a header, close", web(func(a abuser) { a.send(post("/", "X-Half")).close() })},
		{"http: no user", web(func(a abuser) { a.send([]byte("GET /?query=SELECT+1 HTTP/1.1\r\nHost: x\r\n\r\n")).read(); a.close() })},
		{"http: unknown database", web(func(a abuser) { a.send(post("/?query=SELECT+1&database=none", "\r\n")).read(); a.close() })},
		{"http: half a body, reset", web(func(a abuser) { a.send(post(insert, "Content-Length: 100000\r\n\r\n1\n2\n")).reset() })},
		{"http: half a body, close", web(func(a abuser) { a.send(post(insert, "Content-Length: 100000\r\n\r\n1\n2\n")).close() })},
		{"http: half a chunk, reset", web(func(a abuser) { a.send(post(insert, "Transfer-Encoding: chunked\r\n\r\n400\r\n1\n2\n")).reset() })},
		{"http: bad chunk", web(func(a abuser) {
			a.send(post(insert, "Transfer-Encoding: chunked\r\n\r\nzz\r\n1\n2\n")).read()
			a.close()
		})},
		{"http: long answer, reset", web(func(a abuser) {
			a.send(post("/?query=SELECT+number+FROM+system.numbers", "Content-Length: 0\r\n\r\n")).read()
			a.reset()
		})},
		{"http: expect, reset", web(func(a abuser) {
			a.send(post("/", "Expect: 100-continue\r\nContent-Length: 10\r\n\r\n")).read()
			a.reset()
		})},
		{"http: bad query", web(func(a abuser) { a.send(post("/?query=SELEC", "Content-Length: 0\r\n\r\n")).read(); a.close() })},
		{"http: huge header", web(func(a abuser) { _, _ = a.Write(post("/", "X: "+strings.Repeat("a", 3<<20))); a.read(); a.close() })},
	} {
		for range 3 {
			c.act()
		}
		if _, ok := overHTTP(t, writer.HTTPAddress, writer.Username, writer.Password); !ok {
			t.Errorf("after %q the engine does not answer", c.name)
		}
		if now := engine.State().PID; now != pid {
			t.Errorf("after %q or the one before the engine was started again", c.name)
			pid = now
		}
	}
}

// A query given up by its client ends in the engine too.
func TestCancelledQueriesEnd(t *testing.T) {
	s := testkit.Store(t)
	pid := testkit.Engine(t).State().PID
	for range 5 {
		ctx, cancel := context.WithCancel(t.Context())
		rows, err := s.Query(ctx, "SELECT number FROM system.numbers")
		if err != nil {
			t.Fatal(err)
		}
		rows.Next()
		cancel()
		_ = rows.Close() // tells of the cancellation
	}
	testkit.Eventually(t, "no cancelled query runs", func() bool {
		return count(t, s, "SELECT count() FROM system.processes WHERE query = 'SELECT number FROM system.numbers'") == 0
	})
	if now := testkit.Engine(t).State().PID; now != pid {
		t.Error("a cancelled query ended the engine")
	}
}

// HTTP passes what ClickHouse and its clients say through unchanged.
func TestHTTPIsPassedThrough(t *testing.T) {
	s := testkit.Store(t)
	reader := testkit.Engine(t).Reader()
	ask := func(path, body string, header http.Header) (int, string) {
		method := http.MethodPost
		if body == "" {
			method = http.MethodGet
		}
		req, err := http.NewRequestWithContext(t.Context(), method, "http://"+reader.HTTPAddress+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		for name, values := range header {
			req.Header[name] = values
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		data, err := io.ReadAll(bufio.NewReader(res.Body))
		if err != nil {
			t.Fatal(err)
		}
		return res.StatusCode, string(data)
	}
	login := http.Header{"X-Clickhouse-User": {reader.Username}, "X-Clickhouse-Key": {reader.Password}}
	inURL := "user=" + reader.Username + "&password=" + reader.Password
	for _, c := range []struct {
		path, body string
		header     http.Header
		status     int
		want       string
	}{
		{"/?database=" + s.Database(), "SELECT count() FROM flows FORMAT TSV", login, 200, "0\n"},
		{"/?query=SELECT+';'&" + inURL, "", nil, 200, ";\n"},
		{"/?query=SELECT+{a:String}&param_a=x%3By&" + inURL, "", nil, 200, "x;y\n"},
		{"/?" + inURL + "x", "SELECT 1", nil, 401, "Code: 516."},
		{"/?user=default", "SELECT 1", nil, 401, "Code: 516."},
		{"/ping", "", nil, 200, "Ok.\n"},
		{"/?database=none", "SELECT 1", login, 404, "Code: 81."},
	} {
		status, body := ask(c.path, c.body, c.header)
		if status != c.status || !strings.HasPrefix(body, c.want) {
			t.Errorf("%s with %q = %d %q, want %d %q", c.path, c.body, status, body, c.status, c.want)
		}
	}
}

// Clients that come while the engine is away wait for it.
func TestConnectionsWaitForARestart(t *testing.T) {
	engine := run(t, config(t))
	for range 3 {
		kill(t, engine)
		conn, err := clickhouse.Open(&clickhouse.Options{
			Addr: engine.Writer().Addresses, DialTimeout: patience,
			Auth: clickhouse.Auth{Username: engine.Writer().Username, Password: engine.Writer().Password},
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := conn.Exec(t.Context(), "SELECT 1"); err != nil {
			t.Errorf("a query while the engine is away: %v", err)
		}
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
	}
}
