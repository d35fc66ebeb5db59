package native_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"iter"
	"net"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"tapwatch/internal/testkit"
	"tapwatch/storage/native"
)

var intoFlows = native.Insert{Table: "flows"}

// code is that of the exception in err, or 0.
func code(err error) int32 {
	var e *native.Exception
	if !errors.As(err, &e) {
		return 0
	}
	return e.Code
}

// A server's answer can be told from a server that is not there.
func TestErrors(t *testing.T) {
	s := testkit.Store(t)
	one := encode(t, everything(1))
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = closed.Close()
	for name, test := range map[string]struct {
		change func(*native.Options, *native.Insert)
		code   int32
	}{
		"wrong password":   {func(o *native.Options, _ *native.Insert) { o.Password = "wrong" }, 516},
		"unknown user":     {func(o *native.Options, _ *native.Insert) { o.Username = "nobody" }, 516},
		"unknown database": {func(o *native.Options, _ *native.Insert) { o.Database = "missing" }, 81},
		"unknown table":    {func(_ *native.Options, in *native.Insert) { in.Table = "mis`sing" }, 60},
		"unknown column":   {func(_ *native.Options, in *native.Insert) { in.Columns = append(one.Columns(), "missing") }, 16},
		"unknown setting": {func(_ *native.Options, in *native.Insert) {
			in.Settings = []native.Setting{{Name: "missing", Value: "1"}}
		}, 115},
		"no server":  {func(o *native.Options, _ *native.Insert) { o.Addresses = []string{closed.Addr().String()} }, 0},
		"no address": {func(o *native.Options, _ *native.Insert) { o.Addresses = nil }, 0},
		"wrong password at the second": {func(o *native.Options, _ *native.Insert) {
			o.Addresses, o.Password = append([]string{closed.Addr().String()}, o.Addresses...), "wrong"
		}, 516},
	} {
		o, in := options(t, s), intoFlows
		test.change(&o, &in)
		err := client(t, o).Insert(t.Context(), in, native.One(one))
		if err == nil || code(err) != test.code {
			t.Errorf("%s: %v, want code %d", name, err, test.code)
		}
	}
	o := options(t, s)
	o.Addresses = append([]string{closed.Addr().String()}, o.Addresses...)
	insert(t, client(t, o), "", one)
	stillThere(t, s.Ping)
}

// stillThere checks that the engine answers.
func stillThere(t *testing.T, ping func(context.Context) error) {
	t.Helper()
	if err := ping(t.Context()); err != nil {
		t.Errorf("the engine does not answer: %v", err)
	}
}

// ClickHouse may find while blocks are still sent that it does not want them.
func TestRefusedInTheMiddle(t *testing.T) {
	s := testkit.Store(t)
	if err := s.Exec(t.Context(), "ALTER TABLE flows ADD CONSTRAINT small CHECK bytes < 1000"); err != nil {
		t.Fatal(err)
	}
	for _, compression := range []native.Compression{native.Uncompressed, native.LZ4} {
		o := options(t, s)
		o.Compression = compression
		c := client(t, o)
		block := encode(t, everything(20_000))
		in := native.Insert{Table: "flows", Settings: pieces}
		var sent int
		err := c.Insert(t.Context(), in, func(yield func(*native.Block, error) bool) {
			for ; sent < 500 && yield(block, nil); sent++ {
			}
		})
		if code(err) != 469 { // VIOLATED_CONSTRAINT
			t.Errorf("%v", err)
		}
		if sent > 400 {
			t.Errorf("%d blocks were sent to a server that had refused the first", sent)
		}
		insert(t, c, "", encode(t, everything(3)))
	}
}

// A context that ends ends the insert at once, and the engine lives.
func TestContextEnds(t *testing.T) {
	s := testkit.Store(t)
	c := client(t, options(t, s))
	pid := testkit.Engine(t).State().PID
	block := encode(t, everything(20_000))
	var why = errors.New("the test wants it so")
	ctx, cancel := context.WithCancelCause(t.Context())
	err := c.Insert(ctx, intoFlows, endless(func(n int) *native.Block {
		if n == 5 {
			cancel(why)
		}
		return block
	}))
	if !errors.Is(err, why) {
		t.Errorf("cancelled between blocks: %v", err)
	}
	for after := time.Millisecond; after < 200*time.Millisecond; after *= 2 {
		ctx, cancel := context.WithTimeout(t.Context(), after)
		if err := c.Insert(ctx, intoFlows, endless(func(int) *native.Block { return block })); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v", after, err)
		}
		cancel()
	}
	insert(t, c, "", encode(t, everything(3)))
	if now := testkit.Engine(t).State().PID; now != pid {
		t.Error("the engine died")
	}
}

func endless(block func(n int) *native.Block) iter.Seq2[*native.Block, error] {
	return func(yield func(*native.Block, error) bool) {
		for n := 0; yield(block(n), nil); n++ {
		}
	}
}

// A server that accepts and says nothing holds an insert no longer than its context.
func TestSilentServer(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c := client(t, native.Options{Addresses: []string{l.Addr().String(), "127.0.0.1:1"}})
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := c.Insert(ctx, intoFlows, native.One(encode(t, everything(1)))); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
	_ = l.Close() // what was accepted goes with it, so that the farewell is short
}

// Wherever a connection is lost, the insert can be repeated until it is stored, once,
// and the engine lives.
func TestLostConnections(t *testing.T) {
	s := testkit.Store(t)
	o := options(t, s)
	p := proxyTo(t, o.Addresses[0])
	o.Addresses = []string{p.address()}
	pid := testkit.Engine(t).State().PID
	blocks := numbered(t, 100, 100, 100, 100, 100, 100, 100, 100)
	in := native.Insert{Table: "flows", Token: "a", Settings: pieces}
	size := int64(0)
	for _, b := range blocks {
		size += int64(b.Size())
	}
	for _, o.Compression = range []native.Compression{native.Uncompressed, native.LZ4} {
		c := client(t, o)
		for _, bytes := range []int64{10, 50, 200, 3000, 4000, 5000, size / 3, size / 2, size * 2 / 3, size} {
			p.cutAfter(bytes)
			if err := c.Insert(t.Context(), in, each(blocks...)); code(err) != 0 {
				t.Errorf("cut after %d bytes: %v", bytes, err)
			}
		}
		p.cutAfter(0)
		p.reset() // what is kept would be cut later
		for range 2 {
			if err := c.Insert(t.Context(), in, each(blocks...)); err != nil {
				t.Fatal(err)
			}
		}
	}
	stored(t, s, 800, 1)
	if now := testkit.Engine(t).State().PID; now != pid {
		t.Error("the engine died")
	}
}

// A kept connection that the server has given up is replaced without a word.
func TestKeptConnections(t *testing.T) {
	s := testkit.Store(t)
	o := options(t, s)
	p := proxyTo(t, o.Addresses[0])
	o.Addresses = []string{p.address()}
	c := client(t, o)
	for n := range 3 {
		insert(t, c, token(), numbered(t, 10)...)
		if got := p.connections(); got != 1 {
			t.Fatalf("%d connections after %d inserts", got, n+1)
		}
	}
	p.reset()
	insert(t, c, token(), numbered(t, 10)...)
	if got := p.connections(); got != 2 {
		t.Errorf("%d connections", got)
	}
	stored(t, s, 10, 4)
}

func TestConcurrentInserts(t *testing.T) {
	s := testkit.Store(t)
	c := client(t, options(t, s))
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			e := native.NewEncoder()
			for range 5 {
				block, err := e.Encode(numberedBatch(0, 100))
				if err == nil {
					err = c.Insert(t.Context(), native.Insert{Table: "flows", Token: token()}, native.One(block))
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	stored(t, s, 100, 40)
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if err := c.Insert(t.Context(), intoFlows, each(numbered(t, 1)...)); err == nil || code(err) != 0 {
		t.Errorf("after Close: %v", err)
	}
}

func TestTLS(t *testing.T) {
	s := testkit.Store(t)
	o := options(t, s)
	server := httptest.NewTLSServer(nil) // has a certificate for 127.0.0.1
	defer server.Close()
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: server.TLS.Certificates})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				engine, err := net.Dial("tcp", o.Addresses[0])
				if err == nil {
					go func() { _, _ = io.Copy(c, engine); _ = c.Close() }()
					_, _ = io.Copy(engine, c)
					_ = engine.Close()
				}
			}()
		}
	}()
	trusted := x509.NewCertPool()
	trusted.AddCert(server.Certificate())
	secure := o
	secure.Addresses, secure.TLS = []string{l.Addr().String()}, &tls.Config{RootCAs: trusted}
	b := everything(1000)
	insert(t, client(t, secure), "", encode(t, b))
	sameAsStored(t, s, "flows", b)
	secure.TLS = &tls.Config{}
	if err := client(t, secure).Insert(t.Context(), intoFlows, native.One(encode(t, b))); err == nil || code(err) != 0 {
		t.Errorf("an unknown certificate: %v", err)
	}
}
