package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"tapwatch/internal/app"
)

// certified gives a certificate that signed itself, and its key, as PEM.
func certified(t *testing.T) (certificate, key string) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &k.PublicKey, k)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}))
}

// TestCheckFindsWhatRunRefuses: beyond the form of the settings.
func TestCheckFindsWhatRunRefuses(t *testing.T) {
	certificate, key := certified(t)
	_, other := certified(t)
	const secure = "collector:\n  %s: [\":4740\"]\n  security: {certificate: c.pem, key: k.pem, client_ca: ca.pem}\n"
	tls, dtls := fmt.Sprintf(secure, "tls"), fmt.Sprintf(secure, "dtls")
	for _, c := range []struct {
		name, config, key, ca string
		want                  string // empty: good
	}{
		{"tls", tls, key, certificate, ""},
		{"dtls", dtls, key, certificate, ""},
		{"another key", tls, other, certificate, "collector.security.key: "},
		{"another key for dtls", dtls, other, certificate, "collector.security.key: "},
		{"no key", tls, "nothing", certificate, "collector.security.key: "},
		{"no authority", tls, key, key, "collector.security.client_ca: "},
		{"an authority that is none", tls, key, "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n", "collector.security.client_ca: "},
		{"bad address", "collector:\n  listen: [\"127.0.0.300:2055\"]\n", "", "", `tapwatch.yaml:2:12: collector.listen[0]: "127.0.0.300" is not an IP address`},
		{"bad IPv6 address", "collector:\n  tcp: [\"[::1::]:2055\"]\n", "", "", "collector.tcp[0]: "},
		{"bad console", "console:\n  listen: 10.1:8080\n", "", "", "tapwatch.yaml:2:11: console.listen: "},
		{"a name", "collector:\n  listen: [\"collector.example:2055\"]\n", "", "", ""},
		{"state is a folder", "collector:\n  state_file: .\n", "", "", "tapwatch.yaml:2:15: collector.state_file: "},
		{"state in a file", "collector:\n  state_file: k.pem/state.json\n", "", "", "collector.state_file: "},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := tapwatch(t, map[string]string{"tapwatch.yaml": c.config, "c.pem": certificate, "k.pem": c.key, "ca.pem": c.ca}, "check")
			if c.want == "" && (r.code != exitGood || !strings.Contains(r.out, "configuration: good")) {
				t.Errorf("exit code %d: %s%s", r.code, r.out, r.err)
			}
			if c.want != "" && (r.code != exitMisuse || r.out != "" || !strings.Contains(r.err, c.want)) {
				t.Errorf("exit code %d: %s%s", r.code, r.out, r.err)
			}
			if _, err := os.Stat("data"); err == nil {
				t.Error("something was made: there is a data directory")
			}
		})
	}
}

// TestCheckNamesEveryAddress: those of connections too; and so does run.
func TestCheckNamesEveryAddress(t *testing.T) {
	r := tapwatch(t, map[string]string{"tapwatch.yaml": "collector: {listen: [\":2055\"], tcp: [\":4739\", \":4741\"]}\n"}, "check")
	if want := "listens on :2055 (UDP), :4739, :4741 (IPFIX over TCP); takes"; !strings.Contains(r.out, want) {
		t.Errorf("no %q in %s", want, r.out)
	}
	at := netip.MustParseAddrPort("192.0.2.1:4739")
	line := fmt.Sprintln(runsAt(app.Addresses{Streams: map[string][]netip.AddrPort{"tls": {at}, "dtls": {at}}})...)
	if !strings.Contains(line, "dtls [192.0.2.1:4739] tls [192.0.2.1:4739]") {
		t.Error(line)
	}
}
