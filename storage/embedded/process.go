package embedded

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

const (
	// startTimeout bounds how long an engine may take until it answers. Loading
	// many parts takes a while.
	startTimeout = 3 * time.Minute
	// stopTimeout bounds how long an engine may take to end by itself.
	stopTimeout = 30 * time.Second
)

// process is a started engine.
type process struct {
	cmd   *exec.Cmd
	stdin io.Closer
	// done is closed when the process has ended; err says how, and is read after.
	done chan struct{}
	err  error
}

// start starts the engine on a data directory whose files are written, and hands
// it the lock.
func start(dataDir, library string, lock *os.File) (*process, error) {
	spec, err := json.Marshal(childSpec{Library: library, DataDir: dataDir})
	if err != nil {
		return nil, err
	}
	exe, err := selfExecutable()
	if err != nil {
		return nil, fmt.Errorf("find the running binary: %w", err)
	}
	output, err := os.OpenFile(filepath.Join(dataDir, outputFile), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the engine's output: %w", err)
	}
	defer output.Close()
	cmd := &exec.Cmd{
		Path: exe, Args: []string{"tapwatch-engine", dataDir}, Dir: dataDir,
		Env:    []string{childEnv + "=" + string(spec), "PATH=" + os.Getenv("PATH"), "TZ=UTC", "LC_ALL=C.UTF-8"},
		Stdout: output, Stderr: output,
		ExtraFiles:  []*os.File{lock},
		SysProcAttr: childAttributes(),
	}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("open the engine's input: %w", err)
	}
	p := &process{cmd: cmd, stdin: stdin, done: make(chan struct{})}
	started := make(chan error)
	go p.run(started)
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start the engine: %w", err)
	}
	return p, nil
}

// run starts the process and waits for it on one locked thread: Linux sends the
// parent-death signal when the thread that started the child ends.
func (p *process) run(started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err := p.cmd.Start()
	started <- err
	if err != nil {
		return
	}
	p.err = p.cmd.Wait()
	close(p.done)
}

// stop ends the process: its input is closed, and if that does not do in time it is
// killed. It returns when the process has ended, whether it did so by itself.
func (p *process) stop(timeout time.Duration) (clean bool) {
	_ = p.stdin.Close() // an error means that the process has ended
	select {
	case <-p.done:
		return p.err == nil
	case <-time.After(timeout):
	}
	_ = p.cmd.Process.Kill() // an error means that the process has ended
	<-p.done
	return false
}

// waitReady returns when the engine answers at the sockets. An error means that it
// has ended, that it took too long, or that ctx has ended; the process may live on.
func (p *process) waitReady(ctx context.Context, at sockets) error {
	ctx, cancel := context.WithTimeoutCause(ctx, startTimeout, fmt.Errorf("the engine did not answer within %s", startTimeout))
	defer cancel()
	poll := time.NewTicker(50 * time.Millisecond)
	defer poll.Stop()
	for {
		select {
		case <-p.done:
			return p.failure()
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-poll.C:
		}
		if at.ready(ctx) == nil {
			return nil
		}
	}
}

// failure says how the ended process ended, with the end of its output.
func (p *process) failure() error {
	how := "it ended by itself"
	if p.err != nil {
		how = p.err.Error()
	}
	if said := tail(filepath.Join(p.cmd.Dir, outputFile)); said != "" {
		how += ": " + said
	}
	return errors.New("the engine ended: " + how)
}

// tail gives the last lines of a short file on one line, without the engine's
// notices of where it logs.
func tail(path string) string {
	data, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	var lines []string
	for line := range strings.Lines(string(data)) {
		line = strings.TrimSpace(line)
		if line != "" && !strings.HasPrefix(line, "Logging ") {
			lines = append(lines, line)
		}
	}
	lines = lines[max(0, len(lines)-8):]
	return strings.Join(lines, " | ")
}
