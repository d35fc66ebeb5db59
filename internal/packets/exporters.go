package packets

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Versions that Softflowd exports. PSAMP is IPFIX that carries sampled frames.
const (
	NetFlow1 = "1"
	NetFlow5 = "5"
	NetFlow9 = "9"
	IPFIX    = "10"
	PSAMP    = "psamp"
)

// Softflowd has the real softflowd read the pcap and export its flows, in the
// given version, to every target. It returns when all is sent. Debian has it in
// the package softflowd.
func Softflowd(ctx context.Context, pcap, version string, targets ...netip.AddrPort) error {
	return SoftflowdOptions(ctx, pcap, version, nil, targets...)
}

// SoftflowdOptions is Softflowd with further options of its command line.
func SoftflowdOptions(ctx context.Context, pcap, version string, options []string, targets ...netip.AddrPort) error {
	var to []string
	for _, t := range targets {
		to = append(to, t.String())
	}
	dir, err := os.MkdirTemp("", "softflowd")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	// -a: the times of the export are those of the packets.
	args := []string{"-d", "-a", "-r", pcap, "-v", version, "-n", strings.Join(to, ","), "-c", "none", "-p", filepath.Join(dir, "pid")}
	return run(ctx, "softflowd", append(args, options...)...)
}

// Pmacctd has the real pmacctd read the pcap and export with one of its probe
// plugins: nfprobe (version 9 or 10) or sfprobe (sFlow; version is ignored). It
// returns when all is sent. Debian has it in the package pmacct.
func Pmacctd(ctx context.Context, pcap, plugin, version string, target netip.AddrPort) error {
	dir, err := os.MkdirTemp("", "pmacctd")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	lines := []string{"daemonize: false", "pcap_savefile: " + pcap, "plugins: " + plugin + "[probe]"}
	switch plugin {
	case "nfprobe":
		lines = append(lines,
			"aggregate[probe]: src_host, dst_host, src_port, dst_port, proto, tos, tcpflags",
			"nfprobe_receiver[probe]: "+target.String(),
			"nfprobe_version[probe]: "+version)
	case "sfprobe":
		lines = append(lines, "sfprobe_receiver[probe]: "+target.String(), "sfprobe_agentip[probe]: 127.0.0.1")
	default:
		return fmt.Errorf("pmacctd has no probe plugin %q", plugin)
	}
	config := filepath.Join(dir, "pmacctd.conf")
	if err := os.WriteFile(config, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		return err
	}
	return run(ctx, "pmacctd", "-f", config)
}

// run runs a program to its end; an error holds what it printed.
func run(ctx context.Context, name string, args ...string) error {
	out, err := exec.CommandContext(ctx, program(name), args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, out)
	}
	return nil
}

// program finds a program of Debian, some of which are not on the path of users.
func program(name string) string {
	if path, err := exec.LookPath(name); err == nil {
		return path
	}
	for _, dir := range []string{"/usr/sbin", "/usr/local/sbin"} {
		if path := filepath.Join(dir, name); executable(path) {
			return path
		}
	}
	return name
}

func executable(path string) bool {
	_, err := exec.LookPath(path)
	return err == nil
}

// Missing says which of the programs are not installed.
func Missing(names ...string) error {
	var all []error
	for _, n := range names {
		if !executable(program(n)) {
			all = append(all, fmt.Errorf("%s is not installed", n))
		}
	}
	return errors.Join(all...)
}
