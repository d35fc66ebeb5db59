package collector

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"time"
)

// identity is what the collector shows to exporters, and by whom theirs must be signed.
type identity struct {
	certificate tls.Certificate
	exporters   *x509.CertPool
}

// loadIdentity reads the files that SecurityConfig names. An error names file, setting
// and remedy.
func loadIdentity(cfg *SecurityConfig, logger *slog.Logger) (*identity, error) {
	certificate, errCertificate := readPEM("certificate", cfg.Certificate, "CERTIFICATE", "the collector's certificate, and those between it and its authority")
	key, errKey := readPEM("key", cfg.Key, "PRIVATE KEY", "the private key of the collector's certificate")
	authorities, errAuthorities := readPEM("client_ca", cfg.ClientCA, "CERTIFICATE", "the certificate of the authority that signs the exporters' certificates")
	if err := errors.Join(errCertificate, errKey, errAuthorities); err != nil {
		return nil, err
	}
	pair, err := tls.X509KeyPair(certificate, key)
	if err != nil {
		return nil, fmt.Errorf("collector.security.key: %s and the certificate in %s: %w: name a certificate and the key it was made with", cfg.Key, cfg.Certificate, err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(authorities) {
		return nil, fmt.Errorf("collector.security.client_ca: %s: its certificates cannot be read: name the authority that signs the exporters' certificates", cfg.ClientCA)
	}
	if now, leaf := time.Now(), pair.Leaf; now.After(leaf.NotAfter) || now.Before(leaf.NotBefore) {
		logger.Error("the collector's certificate is not valid now: exporters will not connect; renew it",
			"setting", "collector.security.certificate", "file", cfg.Certificate, "not_before", leaf.NotBefore, "not_after", leaf.NotAfter)
	}
	return &identity{certificate: pair, exporters: pool}, nil
}

// readPEM reads a file that must have a block whose type ends in kind: keys have their
// algorithm before it.
func readPEM(setting, file, kind, what string) ([]byte, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("collector.security.%s: %w: name a PEM file of %s that tapwatch may read", setting, err, what)
	}
	for rest := data; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return nil, fmt.Errorf("collector.security.%s: %s has no PEM block %q: name a PEM file of %s", setting, file, kind, what)
		}
		if len(block.Type) >= len(kind) && block.Type[len(block.Type)-len(kind):] == kind {
			return data, nil
		}
	}
}

// secureTLS gives the handshake of TLS: both sides show a certificate (RFC 7011 §11.3).
// RFC 7011 §11.1 asks for TLS 1.1 at least; RFC 8996 has withdrawn that since.
func (id *identity) secureTLS() func(context.Context, net.Conn) (net.Conn, error) {
	config := &tls.Config{
		MinVersion:   tls.VersionTLS12,
		Certificates: []tls.Certificate{id.certificate},
		ClientAuth:   tls.RequireAndVerifyClientCert,
		ClientCAs:    id.exporters,
	}
	return func(ctx context.Context, conn net.Conn) (net.Conn, error) {
		secured := tls.Server(conn, config)
		if err := secured.HandshakeContext(ctx); err != nil {
			return nil, err
		}
		return secured, nil
	}
}
