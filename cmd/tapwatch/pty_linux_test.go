package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// pty is a person at a terminal, in which a program runs.
type pty struct {
	t      *testing.T
	master *os.File
	code   chan int
	ended  chan struct{}

	mu    sync.Mutex
	shown bytes.Buffer
	seen  int // what expect has passed
}

// atTerminal calls the program in a terminal of its own.
func atTerminal(t *testing.T, args ...string) *pty {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("there are no pseudo-terminals here: %v", err)
	}
	if err := unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	slave, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetWinsize(int(slave.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 40, Col: 160}); err != nil {
		t.Fatal(err)
	}
	p := &pty{t: t, master: master, code: make(chan int, 1), ended: make(chan struct{})}
	go func() {
		buffer := make([]byte, 4096)
		for {
			n, err := master.Read(buffer)
			p.mu.Lock()
			p.shown.Write(buffer[:n])
			p.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		defer close(p.ended)
		p.code <- run(ctx, args, stdio{slave, slave, slave})
	}()
	t.Cleanup(func() {
		cancel()
		<-p.ended
		slave.Close()
		master.Close()
	})
	return p
}

// types sends keys.
func (p *pty) types(keys string) {
	p.t.Helper()
	if _, err := p.master.WriteString(keys); err != nil {
		p.t.Fatal(err)
	}
}

// expect waits until the text is shown, after what was expected before, and gives all
// that was shown up to it.
func (p *pty) expect(text string) string {
	p.t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		p.mu.Lock()
		fresh := p.shown.String()[p.seen:]
		i := strings.Index(fresh, text)
		if i >= 0 {
			p.seen += i + len(text)
		}
		p.mu.Unlock()
		if i >= 0 {
			return fresh[:i]
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.t.Fatalf("no %q in\n%s", text, p.shown.String()[p.seen:])
	return ""
}

// left waits until the program ends and checks its exit code.
func (p *pty) left(want int) {
	p.t.Helper()
	select {
	case code := <-p.code:
		if code != want {
			p.t.Errorf("exit code %d, want %d", code, want)
		}
	case <-time.After(time.Minute):
		p.t.Fatal("the program does not end")
	}
}
