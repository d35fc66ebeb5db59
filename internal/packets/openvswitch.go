package packets

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// Exports of OpenVSwitch.
const (
	OVSIPFIX = "ipfix"
	OVSSFlow = "sflow"
)

// OpenVSwitch has a real Open vSwitch forward the frames of a pcap and export them
// (OVSIPFIX or OVSSFlow), sampling every packet. Its bridge is one without kernel
// and network, made for tests of the switch. until is asked whether all has come;
// then the switch is stopped. Debian has it in the package openvswitch-switch.
func OpenVSwitch(ctx context.Context, pcap, export string, target netip.AddrPort, until func(context.Context) error) (err error) {
	settings, ok := map[string][]string{
		OVSIPFIX: {"set", "bridge", "br0", "ipfix=@e", "--", "--id=@e", "create", "ipfix", "targets=\"" + target.String() + "\"",
			"obs_domain_id=123", "obs_point_id=456", "sampling=1", "cache_active_timeout=1", "cache_max_flows=100"},
		OVSSFlow: {"set", "bridge", "br0", "sflow=@e", "--", "--id=@e", "create", "sflow", "targets=\"" + target.String() + "\"",
			"agent=br0", "sampling=1", "header=128", "polling=0"},
	}[export]
	if !ok {
		return fmt.Errorf("open vswitch does not export %q", export)
	}
	all, err := frames(pcap)
	if err != nil {
		return err
	}
	s, err := startSwitch(ctx)
	if s != nil {
		defer func() { err = errors.Join(err, s.stop()) }()
	}
	if err != nil {
		return err
	}
	if err := s.control(ctx, "netdev-dummy/ip4addr", "br0", "192.0.2.9/24"); err != nil {
		return err
	}
	if err := s.configure(ctx, settings...); err != nil {
		return err
	}
	for _, frame := range all {
		if err := s.control(ctx, "netdev-dummy/receive", "p1", hex.EncodeToString(frame)); err != nil {
			return err
		}
	}
	return until(ctx)
}

// virtualSwitch is a running Open vSwitch with the bridge br0 of the ports p1 and p2.
type virtualSwitch struct {
	dir  string
	pids []string // files
}

// startSwitch starts the database and the switch. What has been started is returned
// with an error too.
func startSwitch(ctx context.Context) (*virtualSwitch, error) {
	dir, err := os.MkdirTemp("", "ovs")
	if err != nil {
		return nil, err
	}
	s := &virtualSwitch{dir: dir}
	if err := run(ctx, "ovsdb-tool", "create", s.file("db"), "/usr/share/openvswitch/vswitch.ovsschema"); err != nil {
		return s, err
	}
	if err := s.daemon(ctx, "ovsdb-server", s.file("db"), "--remote=punix:"+s.file("db.sock")); err != nil {
		return s, err
	}
	if err := run(ctx, "ovs-vsctl", "--db=unix:"+s.file("db.sock"), "--no-wait", "init"); err != nil {
		return s, err
	}
	if err := s.daemon(ctx, "ovs-vswitchd", "unix:"+s.file("db.sock"), "--enable-dummy=override", "--disable-system"); err != nil {
		return s, err
	}
	return s, s.configure(ctx,
		"add-br", "br0", "--", "set", "bridge", "br0", "datapath-type=dummy", "fail-mode=standalone", "--",
		"add-port", "br0", "p1", "--", "set", "interface", "p1", "type=dummy", "ofport_request=1", "--",
		"add-port", "br0", "p2", "--", "set", "interface", "p2", "type=dummy", "ofport_request=2")
}

func (s *virtualSwitch) file(name string) string { return filepath.Join(s.dir, name) }

// daemon starts a daemon, which returns when it is ready.
func (s *virtualSwitch) daemon(ctx context.Context, name string, args ...string) error {
	pid := s.file(name + ".pid")
	s.pids = append(s.pids, pid)
	return runDaemon(ctx, append(os.Environ(), "OVS_RUNDIR="+s.dir), name, append(args,
		"--detach", "--no-chdir", "--pidfile="+pid, "--log-file="+s.file(name+".log"), "--unixctl="+s.file(name+".ctl"))...)
}

// configure has the switch take over settings, and waits until it has.
func (s *virtualSwitch) configure(ctx context.Context, args ...string) error {
	return run(ctx, "ovs-vsctl", append([]string{"--db=unix:" + s.file("db.sock"), "--timeout=10", "--"}, args...)...)
}

func (s *virtualSwitch) control(ctx context.Context, args ...string) error {
	return run(ctx, "ovs-appctl", append([]string{"-t", s.file("ovs-vswitchd.ctl")}, args...)...)
}

// stop ends the daemons, last first.
func (s *virtualSwitch) stop() error {
	var all []error
	for i := len(s.pids) - 1; i >= 0; i-- {
		if err := terminate(s.pids[i]); err != nil && !errors.Is(err, os.ErrNotExist) {
			all = append(all, err)
		}
	}
	return errors.Join(append(all, os.RemoveAll(s.dir))...)
}

// runDaemon runs a program that detaches itself: what stays would hold pipes open.
func runDaemon(ctx context.Context, env []string, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, program(name), args...)
	cmd.Env = env
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s %s: %w", name, strings.Join(args, " "), err)
	}
	return nil
}

// terminate asks the process of a pid file to end.
func terminate(file string) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(data)))
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	p, err := os.FindProcess(pid)
	if err != nil {
		return err
	}
	return p.Signal(syscall.SIGTERM)
}
