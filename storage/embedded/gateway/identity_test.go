package gateway

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
)

// ours is the identity of a gateway of serve.
func ours(g *Gateway) Identity {
	return Identity{Secret: "s", Native: g.native.Addr().String(), Web: g.web.Addr().String()}
}

// A gateway is known while its engine is away.
func TestIdentity(t *testing.T) {
	g, _, stop := serve(t)
	id := ours(g)
	if err := id.Ask(t.Context()); err != nil {
		t.Errorf("Ask of the gateway itself = %v", err)
	}
	for name, change := range map[string]func(*Identity){
		"another secret":      func(id *Identity) { id.Secret = "t" },
		"no secret":           func(id *Identity) { id.Secret = "" },
		"another native port": func(id *Identity) { id.Native = "127.0.0.1:1" },
	} {
		other := id
		change(&other)
		if err := other.Ask(t.Context()); err == nil {
			t.Errorf("%s: the gateway is taken for another", name)
		}
	}
	stop()
	if err := id.Ask(t.Context()); err == nil {
		t.Error("Ask of a gateway that has ended = nil")
	}
}

// No other server is taken for the gateway: not one that answers all and sundry, nor
// one that has the gateway answer.
func TestImpostors(t *testing.T) {
	g, _, _ := serve(t)
	for name, handler := range map[string]http.HandlerFunc{
		"hello":  func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") },
		"silent": func(http.ResponseWriter, *http.Request) {},
		"echo":   func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.FormValue("challenge")) },
		"redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://"+g.web.Addr().String()+r.URL.String(), http.StatusTemporaryRedirect)
		},
		"relay": func(w http.ResponseWriter, r *http.Request) {
			res, err := http.Get("http://" + g.web.Addr().String() + r.URL.String())
			if err != nil {
				t.Error(err)
				return
			}
			defer res.Body.Close()
			_, _ = io.Copy(w, res.Body)
		},
	} {
		server := httptest.NewServer(handler)
		id := ours(g)
		id.Web = server.Listener.Addr().String()
		if err := id.Ask(t.Context()); err == nil {
			t.Errorf("%s: it is taken for the gateway", name)
		}
		server.Close()
	}
}
