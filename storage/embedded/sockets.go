package embedded

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"
)

// sockets are where the engine itself listens: known to the gateway alone, and other
// ones at every start.
type sockets struct {
	Host              string
	TCPPort, HTTPPort uint16
	// Token is what the engine of this start answers at readyPath, and nobody else.
	Token string
}

// readyPath is where the engine gives its token to whoever asks over HTTP.
const readyPath = "/tapwatch/ready"

// readyTimeout bounds one look whether the engine answers: a server that took its
// port and stays silent must not hide that the engine has ended.
const readyTimeout = 5 * time.Second

// ReadyPath is readyPath, for config.xml.
func (s sockets) ReadyPath() string { return readyPath }

func (s sockets) native() string { return net.JoinHostPort(s.Host, strconv.Itoa(int(s.TCPPort))) }
func (s sockets) web() string    { return net.JoinHostPort(s.Host, strconv.Itoa(int(s.HTTPPort))) }

// freeSockets finds ports that are free now. Somebody may take one before the engine
// binds it: the start then fails and is tried with others.
func freeSockets() (sockets, error) {
	s := sockets{Host: engineHost(), Token: rand.Text()}
	var all listeners
	var err error
	if all.native, err = net.Listen("tcp4", net.JoinHostPort(s.Host, "0")); err != nil {
		return s, fmt.Errorf("find a free port for the engine: %w", err)
	}
	if all.web, err = net.Listen("tcp4", net.JoinHostPort(s.Host, "0")); err != nil {
		return s, errors.Join(fmt.Errorf("find a free port for the engine: %w", err), all.native.Close())
	}
	s.TCPPort, s.HTTPPort = portOf(all.native), portOf(all.web)
	return s, all.Close()
}

// ready returns nil when the engine of this start answers. Another server that took
// the port first is told nothing and does not have the token.
func (s sockets) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.web()+readyPath, nil)
	if err != nil {
		return err
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, 1<<10))
	if err != nil {
		return err
	}
	if string(body) != s.Token {
		return fmt.Errorf("the server at %s is not the engine (%s)", s.web(), res.Status)
	}
	return nil
}
