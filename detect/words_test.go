package detect_test

import (
	"net/netip"
	"testing"
	"time"

	"tapwatch/alert"
	"tapwatch/detect"
)

func TestWords(t *testing.T) {
	addr := netip.MustParseAddr("10.66.0.77")
	for _, c := range []struct{ got, want string }{
		{detect.Bytes(0), "0 bytes"},
		{detect.Bytes(1), "1 byte"},
		{detect.Bytes(999), "999 bytes"},
		{detect.Bytes(1000), "1.0 kB"},
		{detect.Bytes(9949), "9.9 kB"},
		{detect.Bytes(12345), "12 kB"},
		{detect.Bytes(999_600), "1.0 MB"},
		{detect.Bytes(48_000_000), "48 MB"},
		{detect.Bytes(1 << 63), "9223 PB"},
		{detect.Count(1, "flow"), "1 flow"},
		{detect.Count(2, "listed address"), "2 listed addresses"},
		{detect.Count(0, "flow"), "0 flows"},
		{detect.Duration(45 * time.Second), "45 seconds"},
		{detect.Duration(5 * time.Minute), "5 minutes"},
		{detect.Duration(200 * time.Minute), "3 h 20 min"},
		{detect.Duration(3 * time.Hour), "3 hours"},
		{detect.Duration(50 * time.Hour), "2 days"},
		{detect.Clock(time.Date(2026, 1, 2, 3, 4, 5, 6, time.FixedZone("", 3600))), "2026-01-02 02:04:05 UTC"},
		{detect.Service(6, 22), "SSH (tcp/22)"},
		{detect.Service(17, 161), "SNMP (udp/161)"},
		{detect.Service(6, 4433), "tcp/4433"},
		{detect.Service(132, 3868), "sctp/3868"},
		{detect.Service(47, 0), "GRE"},
		{detect.Service(200, 0), "IP protocol 200"},
		{detect.AssetText(alert.Party{Addr: addr, Zone: "li-east"}), "10.66.0.77, an address in li-east that no asset owns"},
		{detect.AssetText(alert.Party{Addr: addr, Zone: "li-east", Asset: "a-1"}), "a-1 in li-east"},
		{detect.AssetText(alert.Party{Addr: addr, Zone: "li-east", Asset: "a-1", Role: "amf"}), "a-1, a mobility node (AMF) in li-east"},
		{detect.AssetText(alert.Party{Addr: addr, Zone: "li-east", Asset: "a-1", Role: "li-dns"}), "a-1, a lawful-intercept system (dns) in li-east"},
		{detect.AssetText(alert.Party{Addr: addr, Zone: "core", Asset: "e-1", Role: "enodeb"}), "e-1, an enodeb in core"},
		{detect.PeerText(alert.Party{Addr: addr}), "10.66.0.77"},
		{detect.PeerText(alert.Party{Addr: addr, ASN: 64500}), "10.66.0.77 (AS64500)"},
		{detect.PeerText(alert.Party{Addr: addr, Country: "RU", ASN: 64500, ASOrg: "Example"}), "10.66.0.77 (RU, AS64500 Example)"},
		{detect.PeerText(alert.Party{Addr: addr, Zone: "core", Asset: "hss-1", Country: "RU"}), "hss-1 (10.66.0.77, core)"},
		{detect.ExporterText(addr, func(netip.Addr) string { return "pe1" }), "pe1 (10.66.0.77)"},
		{detect.ExporterText(addr, func(a netip.Addr) string { return a.String() }), "10.66.0.77"},
		{detect.SQLString(`it's a \ "thing"`), `'it\'s a \\ "thing"'`},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}
