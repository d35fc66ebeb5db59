//go:build linux

package chaos

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"tapwatch/internal/testkit"
	"tapwatch/storage"
	"tapwatch/storage/embedded"
)

// program builds tapwatch once for all tests. The file has no name any more, so that
// nothing of it is left, however the tests end.
var program = sync.OnceValues(func() (*os.File, error) {
	dir, err := os.MkdirTemp("", "tapwatch-chaos-*")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "tapwatch")
	out, err := exec.Command("go", "build", "-o", path, "tapwatch/cmd/tapwatch").CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("build tapwatch: %w\n%s", err, out)
	}
	return os.Open(path)
})

// handedOn is what the program is called in a process that has it as its first extra file.
const handedOn = "/proc/self/fd/3"

// policy is an inventory with the protected zone to which one of watchedEvery records
// goes.
const policy = `zones:
  - name: li
    kind: lawful-intercept
    prefixes: [10.66.0.0/24]
    assets:
      - {name: admf-1, addresses: [10.66.0.1], role: admf}
`

// setup is what a tapwatch is started with, again and again.
type setup struct {
	dir      string
	udp, tcp netip.AddrPort
	console  netip.AddrPort
	// wrap gives the command line that starts the given one; nil: it is started as it is.
	wrap func(command []string) []string
}

// newSetup makes a directory with a configuration: what every case has, and the part
// `storage` in YAML.
func newSetup(t *testing.T, storagePart string) *setup {
	t.Helper()
	s := &setup{dir: t.TempDir(), udp: freeAddress(t), tcp: freeAddress(t), console: freeAddress(t)}
	config := fmt.Sprintf(`inventory: inventory.yaml
collector: {name: chaos, listen: ["%s"], tcp: ["%s"], batch_records: 200, flush_interval: 20ms, queue_bytes: 1048576}
console: {listen: "%s"}
detect: {window: 1h, lookback: 1h}
storage:
  embedded: {max_memory_bytes: 1500000000}
%s`, s.udp, s.tcp, s.console, storagePart)
	for name, text := range map[string]string{"tapwatch.yaml": config, "inventory.yaml": policy} {
		if err := os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// freeAddress is an address of the loopback that nobody listens on: what is bound to no
// port of its own would have to be asked again after each start.
func freeAddress(t *testing.T) netip.AddrPort {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).AddrPort()
}

// tapwatch is a running `tapwatch run`.
type tapwatch struct {
	*setup
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended; err is read after
	err  error
}

// start starts tapwatch. What it logs goes to the test's log.
func (s *setup) start(t *testing.T) *tapwatch {
	t.Helper()
	binary, err := program()
	if err != nil {
		t.Fatal(err)
	}
	command := []string{handedOn, "--config", filepath.Join(s.dir, "tapwatch.yaml"), "run"}
	if s.wrap != nil {
		command = s.wrap(command)
	}
	w := &tapwatch{setup: s, cmd: exec.Command(command[0], command[1:]...), done: make(chan struct{})}
	w.cmd.Stdout, w.cmd.Stderr, w.cmd.ExtraFiles = t.Output(), t.Output(), []*os.File{binary}
	w.cmd.Env = append(os.Environ(), "TAPWATCH_CONFIG=", "TAPWATCH_LOG_LEVEL=info")
	// It must not outlive a test that a timeout ends. The signal comes when the thread that
	// started it ends: hence the locked one.
	w.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := w.cmd.Start()
		started <- err
		if err == nil {
			w.err = w.cmd.Wait()
			close(w.done)
		}
	}()
	if err := <-started; err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.kill)
	return w
}

// kill ends tapwatch as the kernel does when memory is short: at once.
func (w *tapwatch) kill() {
	_ = w.cmd.Process.Kill() // an error means that it has ended
	<-w.done
}

// stop ends tapwatch in order, and fails the test where it complains.
func (w *tapwatch) stop(t *testing.T) {
	t.Helper()
	if err := w.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatalf("stop tapwatch: %v", err)
	}
	select {
	case <-w.done:
	case <-time.After(patience):
		t.Fatalf("tapwatch did not end within %s", patience)
	}
	if w.err != nil {
		t.Fatalf("tapwatch ended with %v", w.err)
	}
}

// patience bounds what is waited for.
const patience = 4 * time.Minute

// alive fails the test if tapwatch has ended.
func (w *tapwatch) alive(t *testing.T) {
	t.Helper()
	select {
	case <-w.done:
		t.Fatalf("tapwatch ended by itself: %v", w.err)
	default:
	}
}

// engine is the process of the engine that tapwatch has started; 0 while there is none.
func (s *setup) engine() int {
	state, ok := embedded.Running(s.dataDir())
	if !ok || strings.Contains(statusOf(state.PID), "Z (zombie)") {
		return 0
	}
	return state.PID
}

func (s *setup) dataDir() string { return filepath.Join(s.dir, "data/clickhouse") }

// statusOf is what Linux says of a process; empty where there is none.
func statusOf(pid int) string {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid)) // none: it has ended
	return string(text)
}

// open opens the database of the engine that tapwatch runs.
func (s *setup) open(t *testing.T) *storage.Store {
	t.Helper()
	var state embedded.State
	testkit.Eventually(t, "an engine runs", func() (ok bool) {
		state, ok = embedded.Running(s.dataDir())
		return ok
	})
	return testkit.Open(t, state.WriterEndpoint())
}
