package embedded_test

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"tapwatch/internal/testkit"
	"tapwatch/storage/embedded"
)

// impostor is another service on the port of an engine that is gone. It says hello
// to everything and notes what it is told.
type impostor struct {
	port uint16

	mu   sync.Mutex
	told []string
}

func impersonate(t *testing.T) *impostor {
	t.Helper()
	i := &impostor{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		request, err := httputil.DumpRequest(r, true)
		if err != nil {
			t.Error(err)
		}
		i.mu.Lock()
		i.told = append(i.told, string(request))
		i.mu.Unlock()
		_, _ = io.WriteString(w, "hello")
	}))
	t.Cleanup(server.Close)
	i.port = uint16(server.Listener.Addr().(*net.TCPAddr).Port)
	return i
}

func (i *impostor) requests() []string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.told
}

// killedState leaves a directory as a killed tapwatch does: with ports that two
// other services have taken meanwhile, and the number of a process that is gone.
func killedState(t *testing.T, dataDir string, native, web *impostor) embedded.State {
	t.Helper()
	state := embedded.State{
		PID: 1 << 30, TCPPort: native.port, HTTPPort: web.port, // beyond the largest number of a process
		Writer: embedded.Credentials{Username: "tapwatch", Password: "writers-secret"},
		Reader: embedded.Credentials{Username: "reader", Password: "readers-secret"},
	}
	data, err := json.Marshal(state)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(dataDir, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{"engine.json": string(data), "lock": "1073741824\n"} {
		if err := os.WriteFile(filepath.Join(dataDir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return state
}

// Nobody holds the directory: then nobody needs to be asked.
func TestRunningAsksNobodyForAFreeDirectory(t *testing.T) {
	dir, native, web := t.TempDir(), impersonate(t), impersonate(t)
	killedState(t, dir, native, web)
	if got, ok := embedded.Running(dir); ok {
		t.Errorf("Running = %+v", got)
	}
	if told := append(native.requests(), web.requests()...); len(told) != 0 {
		t.Errorf("another service was asked: %q", told)
	}
}

// The directory is held, by a tapwatch that is just starting, but another service
// has the port: it is told no password, and whatever it says is not our engine.
func TestRunningTellsOthersNoPassword(t *testing.T) {
	dir, native, web := t.TempDir(), impersonate(t), impersonate(t)
	state := killedState(t, dir, native, web)
	holder, err := os.Open(filepath.Join(dir, "lock"))
	if err != nil {
		t.Fatal(err)
	}
	defer holder.Close()
	if err := syscall.Flock(int(holder.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		t.Fatal(err)
	}
	if got, ok := embedded.Running(dir); ok {
		t.Errorf("Running = %+v", got)
	}
	told := append(native.requests(), web.requests()...)
	if len(told) != 1 {
		t.Errorf("%d requests, want one", len(told))
	}
	for _, request := range told {
		for _, secret := range []string{state.Writer.Password, state.Reader.Password} {
			if strings.Contains(request, secret) {
				t.Errorf("another service was told a password: %s", request)
			}
		}
	}
}

// A start over ports that others have taken meanwhile takes new ones, and is found.
func TestStartWhereOthersTookThePorts(t *testing.T) {
	cfg, native, web := config(t), impersonate(t), impersonate(t)
	old := killedState(t, cfg.DataDir, native, web)
	state := run(t, cfg).State()
	if state.TCPPort == old.TCPPort || state.HTTPPort == old.HTTPPort || state.TCPPort == 0 || state.HTTPPort == 0 {
		t.Errorf("ports %d and %d, taken ones %d and %d", state.TCPPort, state.HTTPPort, old.TCPPort, old.HTTPPort)
	}
	if state.Writer != old.Writer || state.Reader != old.Reader {
		t.Error("the passwords changed")
	}
	if got, ok := embedded.Running(cfg.DataDir); !ok || got != state {
		t.Errorf("Running = %+v, %t, want %+v", got, ok, state)
	}
	if told := append(native.requests(), web.requests()...); len(told) != 0 {
		t.Errorf("another service was asked: %q", told)
	}
}

// What a killed run has recorded is not left to be taken for the next one's: from its
// beginning on, until its engine answers, the record says that none runs.
func TestStartClearsTheRecordOfAKilledRun(t *testing.T) {
	cfg := config(t)
	killedState(t, cfg.DataDir, impersonate(t), impersonate(t))
	cfg.Library = filepath.Join(t.TempDir(), "libchdb.so")
	if err := os.WriteFile(cfg.Library, []byte("not a library"), 0o600); err != nil {
		t.Fatal(err)
	}
	engine, err := embedded.New(cfg, testkit.Logger(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := engine.Run(t.Context()); err == nil {
		t.Error("Run with a broken library = nil")
	}
	data, err := os.ReadFile(filepath.Join(cfg.DataDir, "engine.json"))
	if err != nil {
		t.Fatal(err)
	}
	var state embedded.State
	if err := json.Unmarshal(data, &state); err != nil || state.PID != 0 {
		t.Errorf("the record says process %d (error %v), want none", state.PID, err)
	}
}
