package main

import (
	"context"
	"fmt"
	"os/exec"
	"strconv"
	"strings"

	"tapwatch/internal/benchmark/measure"
)

// nfcapdSubject is the collector of nfdump, which writes files compressed with LZ4.
type nfcapdSubject struct{}

func (nfcapdSubject) name() string { return "nfcapd" }

// needNfcapd says how to get nfcapd where it is missing.
func needNfcapd() error {
	for _, program := range []string{"nfcapd", "nfdump"} {
		if _, err := exec.LookPath(program); err != nil {
			return fmt.Errorf("%w: install Debian's package: apt-get install nfdump", err)
		}
	}
	return nil
}

func (nfcapdSubject) start(ctx context.Context, dir string) (*process, error) {
	addr, err := measure.FreeAddr()
	if err != nil {
		return nil, err
	}
	p := &process{addr: addr, dir: dir}
	p.cmd = exec.CommandContext(ctx, "nfcapd", "-y", "-w", dir, "-t", "3600", "-b", addr.Addr().String(),
		"-p", strconv.Itoa(int(addr.Port())), "-B", strconv.Itoa(receiveBuffer()))
	return p, p.begin(ctx)
}

// received reads what nfcapd counted from its files.
func (nfcapdSubject) received(ctx context.Context, p *process) (uint64, error) {
	out, err := exec.CommandContext(ctx, "nfdump", "-I", "-R", p.dir).Output()
	if err != nil {
		return 0, fmt.Errorf("nfdump: %w", err)
	}
	for line := range strings.Lines(string(out)) {
		if n, ok := strings.CutPrefix(line, "Flows:"); ok {
			return strconv.ParseUint(strings.TrimSpace(n), 10, 64)
		}
	}
	return 0, fmt.Errorf("nfdump -I counts no flows:\n%s", out)
}
