package spool

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"testing"
)

const killedDir = "TAPWATCH_TEST_SPOOL_DIR"

// kill -9 takes nothing that Append acknowledged.
func TestKilled(t *testing.T) {
	if dir := os.Getenv(killedDir); dir != "" {
		appendForEver(t, dir)
	}
	cfg := Config{Dir: t.TempDir(), Fsync: FsyncNever}
	child := exec.Command(os.Args[0], "-test.run=^TestKilled$")
	child.Env = append(os.Environ(), killedDir+"="+cfg.Dir)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	acknowledged := 0
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if _, err := fmt.Sscan(lines.Text(), &acknowledged); err != nil {
			t.Fatal(err)
		}
		if acknowledged == 500 {
			if err := child.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	_ = child.Wait() // it was killed
	s := mustOpen(t, cfg)
	defer s.Close()
	frames := 0
	for _, g := range s.Recovered() {
		got, corrupt := contents(t, g)
		if corrupt != 0 {
			t.Errorf("%d records corrupt", corrupt)
		}
		for _, f := range got {
			frames++
			if want := fmt.Sprint(frames); f.Oldest != int64(frames) || string(f.Payload[:len(want)]) != want {
				t.Fatalf("frame %d is %d: %.10q", frames, f.Oldest, f.Payload)
			}
		}
	}
	if acknowledged < 500 || frames < acknowledged || frames > acknowledged+1 {
		t.Errorf("%d acknowledged, %d frames", acknowledged, frames)
	}
}

// appendForEver tells the number of each frame when it is acknowledged.
func appendForEver(t *testing.T, dir string) {
	s := mustOpen(t, Config{Dir: dir, Fsync: FsyncNever, Compression: None})
	for n := 1; ; {
		g := mustCreate(t, s, fmt.Sprint(n))
		for range 100 {
			payload := append(fmt.Appendf(nil, "%d ", n), make([]byte, 100_000)...)
			mustAppend(t, g, Frame{1, int64(n), payload})
			if _, err := fmt.Println(n); err != nil {
				t.Fatal(err)
			}
			n++
		}
		mustSeal(t, g)
	}
}
