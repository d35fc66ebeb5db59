package collector

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/logging"
)

// dtlsIdle is after how long without a message a DTLS connection is over: UDP does not
// tell that a peer is gone. Exporters send their templates again and again, every ten
// minutes as a rule (RFC 7011 §10.3.6), so that one that lives is not silent.
const dtlsIdle = 30 * time.Minute

// listenDTLS binds an address for DTLS 1.2.
func (s *streams) listenDTLS(ctx context.Context, address string, id *identity) error {
	secure, err := id.secureDTLS()
	if err != nil {
		return fmt.Errorf("collector.security: %w: give a certificate with an ECDSA or RSA key", err)
	}
	// It is a socket as those of UDP for what the kernel drops to be known. Nobody asks
	// it for stamps: messages of connections get theirs in the queue.
	logger := s.logger.With("transport", transportDTLS)
	bound, err := bind(ctx, address, 0, nil, &stepClock{read: time.Now, logger: logger}, logger)
	if err != nil {
		return listenError("UDP", transportDTLS, address, err)
	}
	if err := enlarge([]*socket{bound}, s.cfg.ReceiveBufferBytes); err != nil {
		return errors.Join(fmt.Errorf("collector: receive buffer of DTLS %s: %w", address, err), bound.conn.Close())
	}
	l := &streamListener{transport: transportDTLS, secure: secure, records: true, idle: dtlsIdle, socket: bound}
	packets := newPacketListener(bound.conn)
	l.Listener, l.release = packets, packets.release
	packets.start(func(from netip.AddrPort, r Reason, err error) { s.drop(l, from, r, err) })
	s.add(l)
	return nil
}

// cookieTime is how long a peer may take to answer with the cookie. Who forges addresses
// never does, and must not hold a place for longer than an exporter needs, one message
// lost on the way included (which is sent again after a second, RFC 6347 §4.2.4.1).
const cookieTime = 2 * time.Second

var errNoCookie = errors.New("the exporter did not answer with the cookie: it is out of reach, or its address is forged")

// secureDTLS gives the handshake of DTLS: both sides show a certificate (RFC 7011
// §11.3). The library answers the first message with a cookie: who forges addresses
// gets no further (RFC 6347 §4.2.1).
func (id *identity) secureDTLS() (func(context.Context, net.Conn) (net.Conn, error), error) {
	options := []dtls.ServerOption{
		dtls.WithCertificates(id.certificate),
		dtls.WithClientAuth(dtls.RequireAndVerifyClientCert),
		dtls.WithClientCAs(id.exporters),
		dtls.WithExtendedMasterSecret(dtls.RequireExtendedMasterSecret),
		// What matters comes back as an error.
		dtls.WithLoggerFactory(&logging.DefaultLoggerFactory{Writer: io.Discard, DefaultLogLevel: logging.LogLevelDisabled}),
	}
	return func(ctx context.Context, conn net.Conn) (net.Conn, error) {
		p, ok := conn.(*packetConn)
		if !ok {
			return nil, fmt.Errorf("a %T is no DTLS peer", conn)
		}
		secured, err := dtls.ServerWithOptions(p, p.RemoteAddr(), options...)
		if err != nil {
			return nil, err
		}
		shaking, cancel := context.WithCancelCause(ctx)
		defer cancel(nil)
		defer time.AfterFunc(cookieTime, func() {
			if !p.answered.Load() {
				cancel(errNoCookie)
			}
		}).Stop()
		if err := secured.HandshakeContext(shaking); err != nil {
			if context.Cause(shaking) == errNoCookie {
				err = errNoCookie
			}
			return nil, errors.Join(err, secured.Close())
		}
		p.listener.establish(p)
		p.takeOver(ctx)
		return secured, nil
	}, nil
}
