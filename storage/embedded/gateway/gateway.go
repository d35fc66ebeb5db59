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

// Policy says who may pass.
type Policy struct {
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
	log         *slog.Logger

	mu       sync.Mutex
	upstream upstream
	changed  chan struct{} // closed, and replaced, when upstream changes

	connections sync.WaitGroup
}

// upstream is where the engine listens; empty while it does not.
type upstream struct{ native, web string }

// New makes a gateway that serves the native protocol and HTTP on the listeners,
// which Run closes.
func New(native, web net.Listener, policy Policy, logger *slog.Logger) *Gateway {
	return &Gateway{native: native, web: web, policy: policy, log: logger, changed: make(chan struct{})}
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
				return &polite{TCPConn: c.(*net.TCPConn), farewells: &g.connections}, nil
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

// Run serves until ctx ends and every connection has been ended.
func (g *Gateway) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return g.serveNative(ctx) })
	group.Go(func() error { return g.serveHTTP(ctx) })
	err := group.Wait()
	g.connections.Wait()
	return err
}
