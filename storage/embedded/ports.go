package embedded

import (
	"errors"
	"fmt"
	"net"
	"strconv"
)

// listeners are what the gateway serves on: the ports that clients know.
type listeners struct{ native, web net.Listener }

func (l listeners) Close() error { return errors.Join(l.native.Close(), l.web.Close()) }

// listen binds the configured ports, else those of the last run, else free ones,
// and records them.
func (s *State) listen(cfg Config) (l listeners, err error) {
	if l.native, err = listenOn("tcp_port", cfg.TCPPort, s.TCPPort); err != nil {
		return l, err
	}
	if l.web, err = listenOn("http_port", cfg.HTTPPort, s.HTTPPort); err != nil {
		return l, errors.Join(err, l.native.Close())
	}
	s.TCPPort, s.HTTPPort = portOf(l.native), portOf(l.web)
	return l, nil
}

func listenOn(key string, configured, last uint16) (net.Listener, error) {
	if configured != 0 {
		l, err := net.Listen("tcp4", loopback(configured))
		if err != nil {
			return nil, fmt.Errorf("port %d of storage.embedded.%s cannot be used: %w", configured, key, err)
		}
		return l, nil
	}
	if last != 0 {
		if l, err := net.Listen("tcp4", loopback(last)); err == nil {
			return l, nil
		}
	}
	l, err := net.Listen("tcp4", loopback(0))
	if err != nil {
		return nil, fmt.Errorf("find a free port for storage.embedded.%s: %w", key, err)
	}
	return l, nil
}

func portOf(l net.Listener) uint16 { return uint16(l.Addr().(*net.TCPAddr).Port) }

func loopback(port uint16) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(int(port))) }
