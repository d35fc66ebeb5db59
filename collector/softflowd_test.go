package collector_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"tapwatch/collector"
	"tapwatch/internal/packets"
)

// softflowdOverTCP has the real softflowd export over TCP, as IPFIX, what it reads in traffic
// of our own.
func softflowdOverTCP(t *testing.T, to netip.AddrPort) {
	t.Helper()
	if err := packets.Missing("softflowd"); err != nil {
		t.Fatalf("%v: `make test-tools` installs what the tests need", err)
	}
	program := "softflowd"
	if _, err := exec.LookPath(program); err != nil {
		program = "/usr/sbin/softflowd"
	}
	dir := t.TempDir()
	traffic := filepath.Join(dir, "traffic.pcap")
	if err := packets.WriteFile(traffic, packets.Defaults()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, program, "-d", "-a", "-r", traffic, "-v", packets.IPFIX, "-P", "tcp",
		"-n", to.String(), "-c", "none", "-p", filepath.Join(dir, "pid")).CombinedOutput()
	if err != nil {
		t.Fatalf("softflowd: %v\n%s", err, out)
	}
}

// softflowdFlows is how many flows the traffic has: of 4 sessions of each kind, TCP,
// refused TCP, UDP and ICMP both ways over IPv4 and IPv6, and GRE both ways.
const softflowdFlows = 4*2*4*2 + 4*2

// checkSoftflowd makes sure that all that softflowd sent has come, and nothing besides.
func checkSoftflowd(t *testing.T, v *server, s *sink, transport string) {
	t.Helper()
	eventually(t, "all flows", func() bool { return s.records() == softflowdFlows })
	eventually(t, "the end", func() bool {
		return v.metric(t, "tapwatch_collector_connections{transport="+transport+"}")+v.metric(t, "tapwatch_collector_templates") == 0
	})
	v.stop()
	checkTimes(t, transport, &s.batch)
	for _, h := range s.health {
		if h.Exporter != netip.MustParseAddr("127.0.0.1") || len(h.Dropped) > 0 {
			t.Errorf("health %+v", h)
		}
	}
}

// TestSoftflowdOverTCP receives what a real exporter sends over TCP (RFC 7011 §10.4).
func TestSoftflowdOverTCP(t *testing.T) {
	var s sink
	v := start(t, &s, func(c *collector.Config) { c.Listen, c.TCP = nil, []string{"127.0.0.1:0"} })
	softflowdOverTCP(t, v.StreamAddrs("tcp")[0])
	checkSoftflowd(t, v, &s, "tcp")
}

// TestSoftflowdOverTLS receives the same through TLS, which softflowd does not speak: a
// proxy does, as stunnel would before a router.
func TestSoftflowdOverTLS(t *testing.T) {
	certificate, key := selfSigned(t)
	var s sink
	v := start(t, &s, func(c *collector.Config) {
		c.Listen, c.TLS = nil, []string{"127.0.0.1:0"}
		c.Security = collector.SecurityConfig{Certificate: certificate, Key: key, ClientCA: certificate}
	})
	pair, err := tls.LoadX509KeyPair(certificate, key)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(pair.Leaf)
	proxy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = proxy.Close() }()
	done := make(chan error, 1)
	go func() {
		done <- passOn(proxy, v.StreamAddrs("tls")[0].String(), &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{pair}})
	}()
	softflowdOverTCP(t, netip.MustParseAddrPort(proxy.Addr().String()))
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	checkSoftflowd(t, v, &s, "tls")
}

// passOn takes one connection and sends over TLS what comes on it.
func passOn(l net.Listener, to string, config *tls.Config) error {
	from, err := l.Accept()
	if err != nil {
		return err
	}
	defer func() { _ = from.Close() }()
	secured, err := tls.Dial("tcp", to, config)
	if err != nil {
		return err
	}
	_, err = io.Copy(secured, from)
	return errors.Join(err, secured.Close())
}

// selfSigned makes a certificate that is its own authority.
func selfSigned(t *testing.T) (certificate, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), IsCA: true, BasicConstraintsValid: true,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		KeyUsage:    x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		NotBefore:   time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, block := range map[string]*pem.Block{
		"cert.pem": {Type: "CERTIFICATE", Bytes: der},
		"key.pem":  {Type: "PRIVATE KEY", Bytes: secret},
	} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
}
