package console

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// secure sets the headers that keep other sites out of the page, and the page from
// loading anything from elsewhere.
func secure(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}

// onlyOwnHost refuses requests that name another host than this one, so that a
// site cannot have its own name resolve to the loopback address and read alerts
// through the browser of somebody on this machine (DNS rebinding). A console that
// listens for other machines cannot know its names: it checks if hosts are given.
func (s *Server) onlyOwnHost(next http.Handler) http.Handler {
	at := s.Addr()
	if at.IsValid() && !at.Addr().IsLoopback() && len(s.cfg.Hosts) == 0 {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.ownHost(r.Host) {
			next.ServeHTTP(w, r)
			return
		}
		problem{
			Status: http.StatusMisdirectedRequest, Type: "unknown-host", Title: "The console does not answer to this host name",
			Detail: "The request names the host " + r.Host + ".",
			Remedy: "Use the address that the console listens on, or add the name to console.hosts.",
		}.write(w)
	})
}

// ownHost tells whether a Host header names this machine.
func (s *Server) ownHost(header string) bool {
	host := header
	if h, _, err := net.SplitHostPort(header); err == nil {
		host = h
	}
	host = strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	if addr, err := netip.ParseAddr(host); err == nil && addr.IsLoopback() {
		return true
	}
	return slices.ContainsFunc(s.cfg.Hosts, func(own string) bool { return strings.EqualFold(own, host) })
}
