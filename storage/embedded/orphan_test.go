package embedded_test

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"tapwatch/internal/testkit"
	"tapwatch/storage/embedded"
)

// parentEnv makes the test binary a process that does nothing but run an engine on
// the directory it names.
const parentEnv = "TAPWATCH_TEST_PARENT"

// runParent prints the engine's process and runs until it is killed.
func runParent(dir string) int {
	cfg := embedded.DefaultConfig()
	cfg.DataDir = dir
	engine, err := embedded.New(cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		fmt.Println(err)
		return 1
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		if engine.Ready(ctx) == nil {
			fmt.Println(engine.State().PID)
		}
	}()
	if err := engine.Run(ctx); err != nil {
		fmt.Println(err)
	}
	return 1
}

// startParent starts such a process and gives it and its engine's, which answers.
func startParent(t *testing.T, dir string) (parent *exec.Cmd, child int) {
	t.Helper()
	parent = exec.Command(os.Args[0])
	parent.Env = append(os.Environ(), parentEnv+"="+dir)
	output, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = parent.Process.Kill() // an error means that the test has done so
		_ = parent.Wait()         // or has waited
	})
	line, err := bufio.NewReader(output).ReadString('\n')
	if err != nil {
		t.Fatalf("the parent said nothing: %v", err)
	}
	child, err = strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		t.Fatalf("the parent said %q", line)
	}
	return parent, child
}

// An engine never outlives tapwatch, however that ended.
func TestEngineDiesWithItsParent(t *testing.T) {
	cfg := config(t)
	parent, child := startParent(t, cfg.DataDir)
	if err := parent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := parent.Wait(); err == nil {
		t.Error("the parent ended by itself")
	}
	testkit.Eventually(t, "the engine is gone", func() bool { return !exists(child) || zombie(child) })
	if _, ok := embedded.Running(cfg.DataDir); ok {
		t.Error("Running says that an engine runs")
	}
}

// After kill -9 the next start succeeds at once: it waits for the old engine's end,
// though the killed process still has its number until somebody waits for it.
func TestStartRightAfterAKill(t *testing.T) {
	cfg := config(t)
	parent, child := startParent(t, cfg.DataDir)
	if err := parent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	engine := run(t, cfg)
	if exists(child) && !zombie(child) {
		t.Errorf("the engine of the killed process, %d, lives beside the new one, %d", child, engine.State().PID)
	}
	if got, ok := embedded.Running(cfg.DataDir); !ok || got != engine.State() {
		t.Errorf("Running = %+v, %t, want %+v", got, ok, engine.State())
	}
}

// zombie tells whether the process has ended and nobody has asked how: in a
// container without an init process nobody ever does.
func zombie(pid int) bool {
	data, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return false
	}
	_, rest, _ := strings.Cut(string(data), ") ")
	return strings.HasPrefix(rest, "Z")
}
