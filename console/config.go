package console

import (
	"errors"
	"net"
	"strconv"
	"strings"
	"time"

	"tapwatch/internal/config"
)

// Config is the part `console` of the configuration.
type Config struct {
	// Listen is the address of the HTTP server, host:port. Port 0 takes a free one.
	Listen string `yaml:"listen"`
	// Hosts are further names by which browsers may address the console, without
	// port: those of a reverse proxy or a tunnel. A console that listens on the
	// loopback address answers to that machine's own names and to these alone.
	Hosts []string `yaml:"hosts"`
	// SilentAfter is how long an exporter may send nothing before it is shown as
	// silent.
	SilentAfter time.Duration `yaml:"silent_after"`
}

// DefaultConfig listens on the loopback address, port 8080.
func DefaultConfig() Config {
	return Config{Listen: "127.0.0.1:8080", SilentAfter: 3 * time.Minute}
}

// Validate reports every bad value as a config.KeyError.
func (c *Config) Validate() error {
	var all []error
	if _, port, err := net.SplitHostPort(c.Listen); err != nil {
		all = append(all, config.Invalid("listen", "%q is not an address: write host:port, as in 127.0.0.1:8080", c.Listen))
	} else if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
		all = append(all, config.Invalid("listen", "port %q is not a number from 0 to 65535", port))
	}
	for i, host := range c.Hosts {
		if host == "" || strings.ContainsAny(host, ":/ ") {
			all = append(all, config.Invalid(config.Index("hosts", i), "%q is not a host name: write it without scheme and port", host))
		}
	}
	if c.SilentAfter <= 0 {
		all = append(all, config.Invalid("silent_after", "%v is not above zero: write a duration, as in 3m", c.SilentAfter))
	}
	return errors.Join(all...)
}
