package embedded

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
)

// Only the answer of the engine that was started is one; the question holds nothing
// that another server could use.
func TestReady(t *testing.T) {
	at := sockets{Host: "127.0.0.1", Token: "the token"}
	answer := ""
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if len(r.Header["X-Clickhouse-Key"])+len(r.Header["Authorization"]) != 0 || r.ContentLength != 0 || r.URL.RawQuery != "" {
			t.Errorf("the question says more than it must: %v %v", r.URL, r.Header)
		}
		_, _ = io.WriteString(w, answer)
	}))
	defer server.Close()
	at.HTTPPort = uint16(server.Listener.Addr().(*net.TCPAddr).Port)
	for _, answer = range []string{"", "hello", "the token, and more"} {
		if err := at.ready(t.Context()); err == nil {
			t.Errorf("the answer %q is taken for the engine's", answer)
		}
	}
	answer = at.Token
	if err := at.ready(t.Context()); err != nil {
		t.Errorf("ready with the token = %v", err)
	}
}
