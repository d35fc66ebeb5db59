package collector

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/prometheus/client_golang/prometheus"
)

// authority signs certificates.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	file        string
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{file: filepath.Join(t.TempDir(), "ca.pem")}
	a.certificate, a.key = a.sign(t, &x509.Certificate{
		Subject: pkix.Name{CommonName: "test authority"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign,
	})
	writePEM(t, a.file, "CERTIFICATE", a.certificate.Raw)
	return a
}

// sign makes a key and a certificate for it, signed by itself if there is no other yet.
func (a *authority) sign(t *testing.T, template *x509.Certificate) (*x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template.SerialNumber = big.NewInt(time.Now().UnixNano())
	if template.NotAfter.IsZero() {
		template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	}
	parent, signer := a.certificate, a.key
	if parent == nil {
		parent, signer = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c, key
}

// issue gives the files of a certificate and its key.
func (a *authority) issue(t *testing.T, notAfter time.Time) (certificate, key string) {
	t.Helper()
	template := &x509.Certificate{
		Subject: pkix.Name{CommonName: "127.0.0.1"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		NotBefore:   notAfter.Add(-2 * time.Hour), NotAfter: notAfter,
	}
	c, k := a.sign(t, template)
	dir := t.TempDir()
	certificate, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	der, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	writePEM(t, certificate, "CERTIFICATE", c.Raw)
	writePEM(t, key, "PRIVATE KEY", der)
	return certificate, key
}

func writePEM(t *testing.T, file, kind string, der []byte) {
	t.Helper()
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
}

// security is the setting of a collector that takes what a signed.
func (a *authority) security(t *testing.T) SecurityConfig {
	t.Helper()
	certificate, key := a.issue(t, time.Now().Add(time.Hour))
	return SecurityConfig{Certificate: certificate, Key: key, ClientCA: a.file}
}

func (a *authority) identity(t *testing.T) *identity {
	t.Helper()
	cfg := a.security(t)
	id, err := loadIdentity(&cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// shown is what a client shows: nothing, or a certificate.
func (a *authority) shown(t *testing.T, notAfter time.Time) []tls.Certificate {
	t.Helper()
	pair, err := tls.LoadX509KeyPair(a.issue(t, notAfter))
	if err != nil {
		t.Fatal(err)
	}
	return []tls.Certificate{pair}
}

func (a *authority) pool() *x509.CertPool {
	p := x509.NewCertPool()
	p.AddCert(a.certificate)
	return p
}

// TestTLS: exporters with a certificate of the authority are received; others are not,
// which is counted and logged with their address.
func TestTLS(t *testing.T) { testSecure(t, "tls", dialTLS) }

// TestDTLS does the same over UDP.
func TestDTLS(t *testing.T) { testSecure(t, "dtls", dialDTLS) }

func dialTLS(to net.Addr, shown []tls.Certificate, roots *x509.CertPool) (net.Conn, error) {
	return tls.Dial("tcp", to.String(), &tls.Config{RootCAs: roots, Certificates: shown})
}

func dialDTLS(to net.Addr, shown []tls.Certificate, roots *x509.CertPool) (net.Conn, error) {
	options := []dtls.ClientOption{dtls.WithRootCAs(roots), dtls.WithServerName("127.0.0.1")}
	if shown != nil {
		options = append(options, dtls.WithCertificates(shown...))
	}
	c, err := dtls.DialWithOptions("udp", to.(*net.UDPAddr), options...)
	if err != nil {
		return nil, err
	}
	return c, c.Handshake()
}

func testSecure(t *testing.T, transport string, dial func(to net.Addr, shown []tls.Certificate, roots *x509.CertPool) (net.Conn, error)) {
	ours, others := newAuthority(t), newAuthority(t)
	valid := time.Now().Add(time.Hour)
	for _, c := range []struct {
		name   string
		shown  []tls.Certificate
		logged string // empty: it is let in
	}{
		{"certificate", ours.shown(t, valid), ""},
		{"no certificate", nil, "client"},
		{"another authority's", others.shown(t, valid), "unknown authority"},
		{"expired", ours.shown(t, time.Now().Add(-time.Minute)), "expired"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := startStreaming(t, nil, func(cfg *Config) {
				cfg.TCP = nil
				if cfg.Security = ours.security(t); transport == transportTLS {
					cfg.TLS = []string{"127.0.0.1:0"}
				} else {
					cfg.DTLS = []string{"127.0.0.1:0"}
				}
			})
			var to net.Addr = net.TCPAddrFromAddrPort(s.StreamAddrs(transport)[0])
			if transport == transportDTLS {
				to = net.UDPAddrFromAddrPort(s.StreamAddrs(transport)[0])
			}
			conn, err := dial(to, c.shown, ours.pool())
			if conn != nil {
				defer func() { _ = conn.Close() }()
			}
			if c.logged != "" {
				waitFor(t, "the refusal", func() bool { return s.dropped(ConnectionError) == 1 && s.log.has(c.logged) })
				if !s.log.has("exporter=127.0.0.1:") || s.metric(t, "connections_total", transport) != 0 {
					t.Errorf("log:\n%s", &s.log)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			const n, each = 50, 900
			for i := range n {
				write(t, conn, numberedMessage(i*each, each))
				if transport == transportDTLS { // which drops what comes too fast
					waitFor(t, "the message", func() bool { return s.records() == (i+1)*each })
				}
			}
			waitFor(t, "all records", func() bool { return s.records() == n*each })
			checkNumbered(t, &s.keep, n*each)
			if s.metric(t, "connections", transport) != 1 || s.metric(t, "connections_total", transport) != 1 {
				t.Error("the connection is not counted")
			}
			if err := conn.Close(); err != nil {
				t.Error(err)
			}
			waitFor(t, "the end", func() bool { return s.metric(t, "connections", transport)+s.metric(t, "templates") == 0 })
			if got := s.dropped(ConnectionError); got != 0 {
				t.Errorf("%d errors; log:\n%s", got, &s.log)
			}
		})
	}
}

// TestOldTLS: TLS 1.1 is refused.
func TestOldTLS(t *testing.T) {
	a := newAuthority(t)
	s := startStreaming(t, nil, func(c *Config) { c.TLS, c.Security = []string{"127.0.0.1:0"}, a.security(t) })
	if c, err := tls.Dial("tcp", s.StreamAddrs("tls")[0].String(), &tls.Config{
		RootCAs: a.pool(), Certificates: a.shown(t, time.Now().Add(time.Hour)), MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11,
	}); err == nil {
		_ = c.Close()
		t.Error("TLS 1.1 is spoken")
	}
	waitFor(t, "the refusal", func() bool { return s.dropped(ConnectionError) == 1 })
}

// TestSecurityFiles: an error names file, setting and remedy.
func TestSecurityFiles(t *testing.T) {
	a := newAuthority(t)
	_, anotherKey := a.issue(t, time.Now().Add(time.Hour))
	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, []byte("nothing\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	broken := filepath.Join(t.TempDir(), "broken.pem")
	writePEM(t, broken, "CERTIFICATE", []byte("nothing"))
	for name, change := range map[string]func(*SecurityConfig) (setting, file, remedy string){
		"no certificate": func(c *SecurityConfig) (string, string, string) {
			c.Certificate = "/nowhere/cert.pem"
			return "certificate", c.Certificate, "name a PEM file of the collector's certificate"
		},
		"no key": func(c *SecurityConfig) (string, string, string) {
			c.Key = "/nowhere/key.pem"
			return "key", c.Key, "name a PEM file of the private key"
		},
		"no authority": func(c *SecurityConfig) (string, string, string) {
			c.ClientCA = "/nowhere/ca.pem"
			return "client_ca", c.ClientCA, "signs the exporters' certificates"
		},
		"a certificate for a key": func(c *SecurityConfig) (string, string, string) {
			c.Key = c.Certificate
			return "key", c.Key, "private key"
		},
		"an empty file": func(c *SecurityConfig) (string, string, string) {
			c.ClientCA = empty
			return "client_ca", empty, "signs the exporters' certificates"
		},
		"a broken authority": func(c *SecurityConfig) (string, string, string) {
			c.ClientCA = broken
			return "client_ca", broken, "name the authority"
		},
		"another's key": func(c *SecurityConfig) (string, string, string) {
			c.Key = anotherKey
			return "key", anotherKey, "the key it was made with"
		},
	} {
		cfg := DefaultConfig()
		cfg.Listen, cfg.TLS, cfg.Security = nil, []string{"127.0.0.1:0"}, a.security(t)
		setting, file, remedy := change(&cfg.Security)
		c, err := New(cfg, []Protocol{framed{}}, nil, nil, nil, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
		if err != nil {
			t.Fatal(err)
		}
		err = c.Listen()
		for _, want := range []string{"collector.security." + setting + ": ", file, remedy} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: error %v has no %q", name, err, want)
			}
		}
	}
}
