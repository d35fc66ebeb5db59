package console

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"tapwatch/alert"
)

// maxBody is how many bytes a request may bring.
const maxBody = 16 << 10

// methods are those of the paths that change something. All other paths only read.
func methods() map[string][]string {
	return map[string][]string{
		"/api/v1/silences":            {http.MethodGet, http.MethodHead, http.MethodPost},
		"/api/v1/silences/{id}":       {http.MethodDelete},
		"/api/v1/approvals/{id}":      {http.MethodDelete},
		"/api/v1/alerts/{id}/approve": {http.MethodPost},
	}
}

// onlyKnownMethods refuses every method that a path does not have, and requests for a
// change that a foreign page may have caused.
func (s *Server) onlyKnownMethods(mux *http.ServeMux) http.Handler {
	of := methods()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, pattern := mux.Handler(r)
		allowed := of[pattern]
		if allowed == nil {
			allowed = []string{http.MethodGet, http.MethodHead}
		}
		switch {
		case !slices.Contains(allowed, r.Method):
			w.Header().Set("Allow", strings.Join(allowed, ", "))
			problem{
				Status: http.StatusMethodNotAllowed, Type: "method-not-allowed", Title: "This path does not have that method",
				Detail: r.Method + " is not allowed here.", Remedy: "Use " + strings.Join(allowed, " or ") + ".",
			}.write(w)
		case r.Method == http.MethodGet || r.Method == http.MethodHead || s.ownRequest(w, r):
			mux.ServeHTTP(w, r)
		}
	})
}

// ownRequest tells whether a request for a change comes from the page itself or from no
// browser, and answers it otherwise. A page of another site can have a browser send
// requests here, but cannot hide from where (Sec-Fetch-Site, Origin); a name that it has
// resolve to this machine is refused unless it is known.
func (s *Server) ownRequest(w http.ResponseWriter, r *http.Request) bool {
	if !s.ownHost(r.Host) && !isAddress(r.Host) {
		problem{
			Status: http.StatusMisdirectedRequest, Type: "unknown-host", Title: "The console takes no changes under this host name",
			Detail: "The request names the host " + r.Host + ".",
			Remedy: "Use the address that the console listens on, or add the name to console.hosts.",
		}.write(w)
		return false
	}
	if err := http.NewCrossOriginProtection().Check(r); err != nil {
		problem{
			Status: http.StatusForbidden, Type: "cross-origin", Title: "The request comes from another site",
			Detail: "Its origin is " + r.Header.Get("Origin") + ".",
			Remedy: "Use the page of this console, or a client that is no browser. A proxy in front must pass the header Host on.",
		}.write(w)
		return false
	}
	if r.Method == http.MethodPost {
		if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
			problem{
				Status: http.StatusUnsupportedMediaType, Type: "not-json", Title: "The request is not JSON",
				Detail:    fmt.Sprintf("Its Content-Type is %q.", r.Header.Get("Content-Type")),
				Parameter: "Content-Type", Remedy: "Send application/json; curl --json does.",
			}.write(w)
			return false
		}
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	return true
}

// isAddress tells whether a Host header is an address: no name can have been made to
// resolve to this machine then.
func isAddress(header string) bool {
	host := header
	if h, _, err := net.SplitHostPort(header); err == nil {
		host = h
	}
	_, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil
}

// readBody reads the request's JSON into v, strictly, or answers what is wrong with it.
func readBody(w http.ResponseWriter, r *http.Request, v any) bool {
	decoder := json.NewDecoder(r.Body)
	decoder.DisallowUnknownFields()
	err := decoder.Decode(v)
	if err == nil {
		if _, err = decoder.Token(); errors.Is(err, io.EOF) {
			return true
		}
		err = errors.New("there is something after the object")
	}
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		problem{
			Status: http.StatusRequestEntityTooLarge, Type: "too-large", Title: "The request is too large",
			Detail: fmt.Sprintf("It has more than %d bytes.", maxBody), Remedy: "Use fewer words.",
		}.write(w)
		return false
	}
	problem{
		Status: http.StatusBadRequest, Type: "bad-body", Title: "The request cannot be read",
		Detail: "It is not the JSON object that belongs here: " + strings.TrimPrefix(err.Error(), "json: ") + ".", Remedy: "See docs/api.md for the fields.",
	}.write(w)
	return false
}

// refused answers an error of a field of the request; false: it is no such error.
func refused(w http.ResponseWriter, err error) bool {
	var field *alert.FieldError
	if !errors.As(err, &field) {
		return false
	}
	problem{
		Status: http.StatusBadRequest, Type: "bad-field", Title: "A field of the request cannot be used",
		Detail: field.Problem, Parameter: field.Field, Remedy: field.Remedy,
	}.write(w)
	return true
}
