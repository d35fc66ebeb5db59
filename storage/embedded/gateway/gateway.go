package gateway

import (
	"context"
	"crypto/subtle"
	"errors"
	"log/slog"
	"net"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	// helloTimeout bounds how long a client may take to say who it is.
	helloTimeout = 10 * time.Second
	// awayTimeout bounds how long a connection waits for an engine that is being
	// started again.
	awayTimeout = 15 * time.Second
	// redialEvery is how often an engine is tried that should be there but is not.
	redialEvery = 100 * time.Millisecond
	// farewellTimeout bounds how long the engine may take to end a connection whose
	// client has gone.
	farewellTimeout = time.Minute
)

// errAway says that the engine does not run.
var errAway = errors.New("the embedded ClickHouse is being started")

// Policy says who may pass, and what the gateway itself is known by.
type Policy struct {
	// Secret is that of the gateway's Identity.
	Secret string

	// Passwords are the passwords of the users, by name.
	Passwords map[string]string
	// Database tells whether a database of the name exists.
	Database func(name string) bool
}

// admits tells whether the name and password are those of a user.
func (p Policy) admits(user, password string) bool {
	want, ok := p.Passwords[user]
	return ok && subtle.ConstantTimeCompare([]byte(want), []byte(password)) == 1
}

// Gateway forwards connections to the engine. Safe for concurrent use.
type Gateway struct {
	native, web net.Listener
	policy      Policy
	metrics     *Metrics
	log         *slog.Logger

	mu       sync.Mutex
	upstream upstream
	changed  chan struct{} // closed, and replaced, when upstream changes
	ending   bool          // connects to the engine no more

	connections sync.WaitGroup // of native clients and to the engine
}

// upstream is where the engine listens; empty while it does not.
type upstream struct{ native, web string }

// New makes a gateway that serves the native protocol and HTTP on the two TCP
// listeners, which Run closes.
func New(native, web net.Listener, policy Policy, metrics *Metrics, logger *slog.Logger) *Gateway {
	return &Gateway{native: native, web: web, policy: policy, metrics: metrics, log: logger, changed: make(chan struct{})}
}

// Use sends new connections to an engine at the two addresses; with none they wait.
func (g *Gateway) Use(native, web string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.upstream = upstream{native, web}
	close(g.changed)
	g.changed = make(chan struct{})
}

// dial connects to the engine at the address that pick takes. It waits a while for
// an engine that is away, or has just died.
func (g *Gateway) dial(ctx context.Context, pick func(upstream) string) (*polite, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, awayTimeout, errAway)
	defer cancel()
	var d net.Dialer
	for {
		g.mu.Lock()
		at, changed := g.upstream, g.changed
		g.mu.Unlock()
		if at != (upstream{}) {
			c, err := d.DialContext(ctx, "tcp", pick(at))
			if err == nil {
				return g.connected(c.(*net.TCPConn))
			}
		}
		select {
		case <-changed:
		case <-time.After(redialEvery):
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// connected counts a connection to the engine until it has ended. HTTP may come with
// one after the end of Run has begun.
func (g *Gateway) connected(c *net.TCPConn) (*polite, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.ending {
		return nil, errors.Join(errAway, c.Close())
	}
	g.connections.Add(1)
	return &polite{TCPConn: c, ended: g.connections.Done}, nil
}

// Run serves until ctx ends and every connection has been ended. It fails only where
// a listener is broken: shortages, such as of file descriptors, are waited out.
func (g *Gateway) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return g.serveNative(ctx) })
	group.Go(func() error { return g.serveHTTP(ctx) })
	err := group.Wait()
	g.mu.Lock()
	g.ending = true
	g.mu.Unlock()
	g.connections.Wait()
	return err
}
