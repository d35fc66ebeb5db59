package native

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/ClickHouse/ch-go/proto"
)

// clientName is what system.processes and the logs of ClickHouse call this client.
const clientName = "tapwatch"

// dial connects to the first address that lets the user in.
func (c *Client) dial(ctx context.Context) (*conn, error) {
	var errs []error
	for _, address := range c.options.Addresses {
		conn, err := c.dialTo(ctx, address)
		if err == nil {
			return conn, nil
		}
		errs = append(errs, fmt.Errorf("connect to clickhouse at %s: %w", address, err))
		if ctx.Err() != nil {
			break
		}
	}
	if len(errs) == 0 {
		return nil, errors.New("no address of clickhouse is configured")
	}
	return nil, errors.Join(errs...)
}

func (c *Client) dialTo(ctx context.Context, address string) (*conn, error) {
	raw, err := c.open(ctx, address)
	if err != nil {
		return nil, err
	}
	conn := newConn(raw, c.options.Compression)
	ctx, cancel := context.WithTimeout(ctx, helloTimeout)
	defer cancel()
	stop := context.AfterFunc(ctx, conn.interrupt)
	err = conn.hello(c.options)
	if interrupted := !stop(); interrupted && err == nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		go conn.farewell()
		if ctx.Err() != nil {
			err = fmt.Errorf("%w (%w)", context.Cause(ctx), err)
		}
		return nil, err
	}
	return conn, nil
}

func (c *Client) open(ctx context.Context, address string) (net.Conn, error) {
	d := net.Dialer{Timeout: dialTimeout}
	if c.options.TLS == nil {
		return d.DialContext(ctx, "tcp", address)
	}
	ctx, cancel := context.WithTimeout(ctx, 2*dialTimeout)
	defer cancel()
	secure := tls.Dialer{NetDialer: &d, Config: c.options.TLS}
	return secure.DialContext(ctx, "tcp", address)
}

// hello exchanges greetings and agrees on the revision of the protocol.
func (c *conn) hello(o Options) error {
	proto.ClientHello{
		Name: clientName, Major: 1, ProtocolVersion: proto.Version,
		Database: o.Database, User: o.Username, Password: o.Password,
	}.Encode(&c.out)
	if err := c.flush(); err != nil {
		return err
	}
	code, err := c.packet()
	switch {
	case err != nil:
		return err
	case code == proto.ServerCodeException:
		return c.exception()
	case code != proto.ServerCodeHello:
		return fmt.Errorf("greeted with packet %q", code)
	}
	var server proto.ServerHello
	if err := server.DecodeAware(c.in, proto.Version); err != nil {
		return fmt.Errorf("read the greeting: %w", err)
	}
	c.revision = min(proto.Version, server.Revision)
	if proto.FeatureAddendum.In(c.revision) {
		c.out.PutString("") // the quota key
	}
	return nil // it goes with the first query
}

// interrupt ends what the connection waits for. It may be called at any time.
func (c *conn) interrupt() { _ = c.net.SetDeadline(time.Unix(1, 0)) }
