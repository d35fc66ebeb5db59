package gateway

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"strconv"
	"time"
)

func (g *Gateway) serveHTTP(ctx context.Context) error {
	server := &http.Server{
		Handler:           http.HandlerFunc(g.handleHTTP(g.proxy())),
		ReadHeaderTimeout: helloTimeout,
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ConnContext:       withGuest,
		ErrorLog:          slog.NewLogLogger(g.log.Handler(), slog.LevelDebug),
	}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	err := server.Serve(g.door(ctx, g.web))
	if ctx.Err() != nil || errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// handleHTTP passes requests of the engine's users on. Others may ask whether the
// engine is there, and which gateway this is.
func (g *Gateway) handleHTTP(next http.Handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		user, password := credentials(r)
		if g.policy.admits(user, password) {
			guestOf(r.Context()).known()
			next.ServeHTTP(w, r)
			return
		}
		dismiss(w)
		switch r.URL.Path {
		case "/ping":
			next.ServeHTTP(w, r)
		case proofPath:
			g.prove(w, r)
		default:
			refuseHTTP(w, user)
		}
	}
}

// dismiss ends a stranger's connection after the answer and does not wait for a
// slow request: its place is wanted.
func dismiss(w http.ResponseWriter) {
	w.Header().Set("Connection", "close")
	// The longest that an answer takes; an error means that the client has gone.
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(helloTimeout + awayTimeout))
}

func refuseHTTP(w http.ResponseWriter, user string) {
	w.Header().Set("X-ClickHouse-Exception-Code", strconv.Itoa(codeAuthenticationFailed))
	w.Header().Set("WWW-Authenticate", `Basic realm="ClickHouse of tapwatch"`)
	http.Error(w, "Code: 516. DB::Exception: "+user+": Authentication failed: password is incorrect, or there is no user with such name. (AUTHENTICATION_FAILED)", http.StatusUnauthorized)
}

// credentials are the user and password in any of the ways that ClickHouse takes
// them (docs: interfaces/http).
func credentials(r *http.Request) (user, password string) {
	if user, password, ok := r.BasicAuth(); ok {
		return user, password
	}
	if user := r.Header.Get("X-ClickHouse-User"); user != "" {
		return user, r.Header.Get("X-ClickHouse-Key")
	}
	q := r.URL.Query()
	return q.Get("user"), q.Get("password")
}

// proxy forwards to where the engine listens at the time.
func (g *Gateway) proxy() *httputil.ReverseProxy {
	return &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme = "http"
			r.Out.URL.Host = "engine"
			r.Out.URL.RawQuery = r.In.URL.RawQuery // as it is: SQL may hold semicolons
			r.Out.Host = r.In.Host
		},
		Transport: &http.Transport{
			DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				return g.dial(ctx, func(at upstream) string { return at.web })
			},
			DisableKeepAlives:  true, // a restarted engine is at another address
			DisableCompression: true,
		},
		FlushInterval: -1,
		ErrorLog:      slog.NewLogLogger(g.log.Handler(), slog.LevelDebug),
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			http.Error(w, err.Error(), http.StatusBadGateway)
		},
	}
}
