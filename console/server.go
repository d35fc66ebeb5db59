package console

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// The server's patience.
const (
	headerTimeout = 5 * time.Second
	readTimeout   = 10 * time.Second
	writeTimeout  = 30 * time.Second
	idleTimeout   = 2 * time.Minute
	// stopTimeout is how long requests may take to end once the server stops.
	stopTimeout = 5 * time.Second
	// heartbeat is how often a quiet stream shows that it lives.
	heartbeat = 15 * time.Second
	// retryHint is after how long a browser should reconnect a broken stream.
	retryHint = 2 * time.Second
)

// Server is the console's HTTP server. Call New, Listen, Run, in that order.
type Server struct {
	cfg      Config
	deps     Deps
	logger   *slog.Logger
	metrics  *metrics
	page     *page
	listener net.Listener
	// hunting has an element for each hunt that runs.
	hunting chan struct{}
	// stopping is closed when the server stops, so that streams end.
	stopping chan struct{}
}

// New checks cfg and deps and returns a server that does nothing yet. Its metrics
// are registered with reg.
func New(cfg Config, deps Deps, logger *slog.Logger, reg prometheus.Registerer) (*Server, error) {
	if err := errors.Join(cfg.Validate(), deps.validate()); err != nil {
		return nil, err
	}
	if deps.Now == nil {
		deps.Now = time.Now
	}
	m, err := newMetrics(reg)
	if err != nil {
		return nil, fmt.Errorf("console: register metrics: %w", err)
	}
	p, err := loadPage()
	if err != nil {
		return nil, fmt.Errorf("console: load page: %w", err)
	}
	return &Server{
		cfg: cfg, deps: deps, logger: logger.With("component", "console"), metrics: m, page: p,
		hunting: make(chan struct{}, maxHunting), stopping: make(chan struct{}),
	}, nil
}

// Listen binds the address. An error names the address and the setting.
func (s *Server) Listen() error {
	l, err := net.Listen("tcp", s.cfg.Listen)
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("console: %s is in use by another program: stop that or change console.listen: %w", s.cfg.Listen, err)
	}
	if err != nil {
		return fmt.Errorf("console: listen on %s (console.listen): %w", s.cfg.Listen, err)
	}
	s.listener = l
	return nil
}

// Addr is where the server listens; the zero AddrPort before Listen.
func (s *Server) Addr() netip.AddrPort {
	if s.listener == nil {
		return netip.AddrPort{}
	}
	at := s.listener.Addr().(*net.TCPAddr).AddrPort()
	return netip.AddrPortFrom(at.Addr().Unmap(), at.Port())
}

// Run serves until ctx ends; then it ends the streams, lets other requests finish,
// and returns nil. It calls Listen if nobody has. A server runs once.
func (s *Server) Run(ctx context.Context) error {
	if s.listener == nil {
		if err := s.Listen(); err != nil {
			return err
		}
	}
	server := &http.Server{
		Handler:           s.Handler(),
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(s.logger.Handler(), slog.LevelDebug),
	}
	s.announce()
	served := make(chan error, 1)
	go func() { served <- server.Serve(s.listener) }()
	select {
	case err := <-served:
		return fmt.Errorf("console: serve: %w", err)
	case <-ctx.Done():
	}
	close(s.stopping)
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
	defer cancel()
	if err := server.Shutdown(stop); err != nil {
		s.logger.Warn("cut requests that did not end in time", "error", err)
		server.Close()
	}
	<-served
	return nil
}

func (s *Server) announce() {
	at := s.Addr()
	s.logger.Info("console listens", "address", at.String())
	if !at.Addr().IsLoopback() {
		s.logger.Warn("console is open to other machines and asks for no password: put a proxy that does in front of it",
			"address", at.String(), "setting", "console.listen")
	}
}
