package app

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"tapwatch/collector"
	"tapwatch/internal/config"
)

// Check finds what New does not look at and Run would stumble over: what is listened
// on, the files of TLS and DTLS, and the place of the state.
func (a *App) Check() error {
	all := []error{a.checkSecurity()}
	c := &a.cfg.Collector
	for key, addresses := range map[string][]string{"collector.listen": c.Listen, "collector.tcp": c.TCP, "collector.tls": c.TLS, "collector.dtls": c.DTLS} {
		for i, address := range addresses {
			all = append(all, a.checkAddress(config.Index(key, i), address))
		}
	}
	all = append(all, a.checkAddress("console.listen", a.cfg.Console.Listen))
	if err := a.checkState(); err != nil && !errors.Is(err, fs.ErrPermission) {
		all = append(all, config.At(a.cfg.file, "collector.state_file", "%v", err))
	}
	return errors.Join(all...)
}

// checkState says what is wrong with the place of the state, if it is kept.
func (a *App) checkState() error {
	if a.cfg.Collector.StateFile == "" {
		return nil
	}
	return collector.CheckStateFile(a.cfg.Collector.StateFile)
}

// checkSecurity loads the files of TLS and DTLS as a collector does: one that listens
// on the loopback for a moment.
func (a *App) checkSecurity() error {
	cfg := a.cfg.Collector
	if len(cfg.TLS)+len(cfg.DTLS) == 0 {
		return nil
	}
	const nowhere = "127.0.0.1:0"
	cfg.Listen, cfg.TCP, cfg.StateFile = nil, nil, ""
	if len(cfg.TLS) > 0 {
		cfg.TLS = []string{nowhere}
	}
	if len(cfg.DTLS) > 0 {
		cfg.DTLS = []string{nowhere}
	}
	c, err := collector.New(cfg, protocols(), listedExporters{a.inventory}, a.backend, a.backend, a.logger, prometheus.NewRegistry())
	if err != nil {
		return err
	}
	return errors.Join(c.Listen(), c.Close())
}

// checkAddress finds a host that looks like an IP address and is none. Names are left
// to the resolver of the machine that listens.
func (a *App) checkAddress(key, address string) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil || host == "" || strings.Trim(host, "0123456789.") != "" && !strings.Contains(host, ":") {
		return nil // Validate has looked at the form
	}
	if _, err := netip.ParseAddr(host); err != nil {
		return config.At(a.cfg.file, key, "%q is not an IP address", host)
	}
	return nil
}

// listens says on which addresses the collector receives, and how.
func (c *Config) listens() string {
	var all []string
	for _, transport := range []struct {
		name      string
		addresses []string
	}{{"UDP", c.Collector.Listen}, {"IPFIX over TCP", c.Collector.TCP}, {"IPFIX over TLS", c.Collector.TLS}, {"IPFIX over DTLS", c.Collector.DTLS}} {
		if len(transport.addresses) > 0 {
			all = append(all, fmt.Sprintf("%s (%s)", strings.Join(transport.addresses, ", "), transport.name))
		}
	}
	return strings.Join(all, ", ")
}
