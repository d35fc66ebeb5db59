package deploy_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"tapwatch/storage/embedded"
)

// TestMain lets the test binary become the engine that startEngine runs.
func TestMain(m *testing.M) {
	embedded.Main()
	os.Exit(m.Run())
}

// The files that ClickHouse's image brings, as far as ours change them, and what
// the embedded engine needs besides: a user for its own session.
const (
	baseConfig = `<clickhouse>
	<listen_host>127.0.0.1</listen_host><tcp_port>%d</tcp_port><http_port>%d</http_port>
	<users_config>%s/users.xml</users_config>
	<query_log><database>system</database><table>query_log</table><partition_by>toYYYYMM(event_date)</partition_by></query_log>
	<trace_log><database>system</database><table>trace_log</table></trace_log>
</clickhouse>`
	baseUsers = `<clickhouse>
	<profiles><default/></profiles><quotas><default/></quotas>
	<users><default><password/><networks><ip>::/0</ip></networks><profile>default</profile><quota>default</quota></default></users>
</clickhouse>`
	sessionUser = `<clickhouse><users><default>
	<no_password/><networks><ip>127.0.0.1</ip></networks><profile>default</profile><quota>default</quota>
	<grants><query>GRANT SYSTEM LISTEN ON *.*</query></grants>
</default></users></clickhouse>`
	startListening = "SYSTEM START LISTEN TCP; SYSTEM START LISTEN HTTP;"
)

// startEngine runs the embedded engine with compose's files for ClickHouse merged
// into its own, and gives the address of its native protocol.
func startEngine(t *testing.T, environment ...string) string {
	t.Helper()
	library, err := embedded.FindLibrary("")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	tcp, http := freePort(t), freePort(t)
	for name, text := range map[string]string{
		"config.xml":            fmt.Sprintf(baseConfig, tcp, http, dir),
		"config.d/tapwatch.xml": readFile(t, "clickhouse/config.d/tapwatch.xml"),
		"users.xml":             baseUsers,
		"users.d/tapwatch.xml":  readFile(t, "clickhouse/users.d/tapwatch.xml"),
		"users.d/zz-engine.xml": sessionUser,
		"start.sql":             startListening,
	} {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	spec, err := json.Marshal(map[string]string{"library": library, "data_dir": dir})
	if err != nil {
		t.Fatal(err)
	}
	// Were the variable not understood, the child would run no test.
	child := exec.Command(os.Args[0], "-test.run=^$")
	child.Env = append(append(os.Environ(), environment...), "TAPWATCH_ENGINE_CHILD="+string(spec))
	supervise(t, child, fmt.Sprintf("http://127.0.0.1:%d/ping", http))
	return fmt.Sprintf("127.0.0.1:%d", tcp)
}

// supervise starts the engine, waits until it answers, and ends it with the test.
func supervise(t *testing.T, child *exec.Cmd, ping string) {
	t.Helper()
	var output bytes.Buffer
	child.Stdout, child.Stderr = &output, &output
	stdin, err := child.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- child.Wait() }()
	t.Cleanup(func() {
		stdin.Close() // the engine serves until its standard input ends
		select {
		case <-ended:
		case <-time.After(time.Minute):
			child.Process.Kill()
			t.Error("the engine did not end")
		}
	})
	deadline := time.After(2 * time.Minute)
	poll := time.NewTicker(50 * time.Millisecond)
	defer poll.Stop()
	for {
		select {
		case err := <-ended:
			ended <- err
			t.Fatalf("the engine ended: %v\n%s", err, output.String())
		case <-deadline:
			t.Fatal("the engine does not answer")
		case <-poll.C:
			if answer, err := http.Get(ping); err == nil {
				answer.Body.Close()
				return
			}
		}
	}
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
