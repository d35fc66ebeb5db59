package tunnel_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tapwatch/detect/detecttest"
	dt "tapwatch/detect/device/devicetest"
	"tapwatch/detect/tunnel"
	"tapwatch/flow"
)

func TestConformance(t *testing.T) {
	detecttest.Run(t, detecttest.Suite{
		New:  detector,
		Open: open,
		From: dt.At(0), To: dt.At(30 * time.Second),
		Allowed: func(s *detecttest.Stage) {
			s.Flows(both(dt.PE1, dt.PE2, flow.ProtocolGRE)...)
			s.Flows(both(dt.PE1, "192.0.2.91", flow.ProtocolGRE)...)
			s.Flows(both("100.64.0.9", dt.Outside, flow.ProtocolESP)...)
		},
		Suspicious: func(s *detecttest.Stage) {
			s.Flows(both(dt.PE1, dt.Outside, flow.ProtocolGRE)...)
			s.Flows(append(both(dt.PE2, dt.Outside, flow.ProtocolESP), ports(dt.PE2, dt.Outside, 500, 500)...)...)
			s.Flows(ports(dt.HSS, dt.SBC, 4789, 51000)...)
		},
	})
}

// both is traffic of a protocol without ports, both ways.
func both(a, b string, protocol uint8) []dt.Flow {
	return []dt.Flow{dt.Packets(a, b, protocol), dt.Packets(b, a, protocol)}
}

// ports is UDP both ways between those ports, the first that of b.
func ports(a, b string, server, client uint16) []dt.Flow {
	return dt.Ports(dt.Datagrams(a, b, server), client, server)
}

func TestScenarios(t *testing.T) {
	place := " (RU, AS64500 Example Hosting)"
	vxlan := []dt.Flow{ports(dt.PE1, dt.Outside, 4789, 50001)[0], ports(dt.Outside, dt.PE1, 4789, 50002)[0]}
	dt.Scenarios(t, open(t), detector(t),
		dt.Case("listed gre", both(dt.PE1, dt.PE2, 47)),
		dt.Case("listed the other way around", both(dt.PE2, dt.PE1, 47)),
		dt.Case("gre that a rule allows", both(dt.PE1, "192.0.2.91", 47)),
		dt.Case("listed as esp: keys are exchanged too", append(both(dt.PE1, "192.0.2.95", 50), ports(dt.PE1, "192.0.2.95", 4500, 4500)...)),
		dt.Case("listed as udp", ports(dt.PE2, dt.P1, 4789, 50001)),
		dt.Case("another protocol than the listed one", both(dt.PE1, dt.PE2, 4),
			"high: pe2.east of routers has an unlisted IP-in-IP tunnel with pe1.east (10.30.0.1, routers)"),
		dt.Case("gre to the outside", both(dt.PE1, dt.Outside, 47),
			"critical: pe1.east of routers has an unlisted GRE tunnel with 203.0.113.66"+place),
		dt.Case("gre out alone, as of a mirror", both(dt.PE1, dt.Outside, 47)[:1],
			"critical: pe1.east of routers sends into an unlisted GRE tunnel to 203.0.113.66"+place),
		dt.Case("gre in alone, as anybody may send it", both(dt.Outside, dt.PE1, 47)[:1]),
		dt.Case("ike and esp are one tunnel", append(both(dt.PE1, dt.Outside, 50), ports(dt.PE1, dt.Outside, 500, 500)...),
			"critical: pe1.east of routers has an unlisted IPsec tunnel with 203.0.113.66"+place),
		dt.Case("ipsec behind an address translator", ports(dt.PE1, dt.Outside, 4500, 33333),
			"critical: pe1.east of routers has an unlisted IPsec tunnel with 203.0.113.66"+place),
		dt.Case("vxlan, each way with ports of its own", vxlan,
			"critical: pe1.east of routers has an unlisted VXLAN tunnel with 203.0.113.66"+place),
		dt.Case("l2tp", ports(dt.PE1, dt.Outside, 1701, 1701),
			"critical: pe1.east of routers has an unlisted L2TP tunnel with 203.0.113.66"+place),
		dt.Case("geneve", ports(dt.PE1, dt.Outside, 6081, 50000),
			"critical: pe1.east of routers has an unlisted Geneve tunnel with 203.0.113.66"+place),
		dt.Case("wireguard", ports(dt.PE1, dt.Outside, 51820, 51820),
			"critical: pe1.east of routers has an unlisted WireGuard tunnel with 203.0.113.66"+place),
		dt.Case("wireguard from a port below", ports(dt.PE1, dt.Outside, 51820, 40000),
			"critical: pe1.east of routers has an unlisted WireGuard tunnel with 203.0.113.66"+place),
		dt.Case("a client that took wireguard's port", ports(dt.PE1, dt.Outside, 53, 51820)),
		dt.Case("a client that took ipsec's port", ports(dt.PE1, dt.Outside, 123, 4500)),
		dt.Case("6in4 by a firewall of the core", both(dt.Firewall, dt.Outside, 41),
			"critical: fw1.east of core-east has an unlisted IPv6-in-IPv4 tunnel with 203.0.113.66"+place),
		dt.Case("a core system with the outside", both(dt.HSS, dt.Outside, 47),
			"critical: hss-1 of core-east has an unlisted GRE tunnel with 203.0.113.66"+place),
		dt.Case("a lawful-intercept system with a router", both(dt.MDF3, dt.PE1, 47),
			"critical: mdf3-1 of li-east has an unlisted GRE tunnel with pe1.east (10.30.0.1, routers)"),
		dt.Case("two known systems of the core", both(dt.HSS, dt.SBC, 50),
			"medium: sbc-1 of core-east has an unlisted IPsec tunnel with hss-1 (10.40.1.10, core-east)"),
		dt.Case("a security gateway with base stations", both("10.80.0.9", dt.Gateway, 50)),
		dt.Case("customers' transit", append(both("100.64.0.9", dt.Outside, 47), both("198.18.0.9", dt.Outside, 50)...)),
		dt.Case("replication to a group", []dt.Flow{ports(dt.PE1, "239.1.1.1", 4789, 50001)[0]}),
		dt.Case("no tunnel", dt.Session(dt.PE1, dt.Outside, 179)),
	)
}

// TestManyFold: an endpoint with very many peers is one alert, the same in each window.
func TestManyFold(t *testing.T) {
	stage := open(t)
	var flows []dt.Flow
	for i := range 80 {
		pair := both(fmt.Sprintf("10.80.1.%d", i+1), dt.SBC, 50)
		flows = append(flows, dt.Later(time.Duration(i%2)*10*time.Second, pair)...)
	}
	stage.Flows(flows...)
	found := stage.Detect(detector(t), dt.At(0), dt.At(20*time.Second))
	if len(found) != 2 || found[0].ID != found[1].ID {
		t.Fatalf("found %q, want two findings of one alert", detecttest.Titles(found))
	}
	if want := "sbc-1 of core-east has unlisted IPsec tunnels with 10.80.1.1 (radio) and 39 other addresses"; found[0].Title != want {
		t.Errorf("title %q, want %q", found[0].Title, want)
	}
}

// TestListing puts the tunnel that the alert proposes into the inventory: then the same
// traffic is expected.
func TestListing(t *testing.T) {
	stage := open(t)
	stage.Flows(append(both(dt.PE1, dt.Outside, 47), ports(dt.PE2, dt.Outside, 4500, 4500)...)...)
	found := stage.Detect(detector(t), dt.At(0), dt.At(10*time.Second))
	if len(found) != 2 {
		t.Fatalf("found %q", detecttest.Titles(found))
	}
	lines := ""
	for _, f := range found {
		_, line, ok := strings.Cut(f.NextSteps[len(f.NextSteps)-1], "reload: ")
		if !ok {
			t.Fatalf("the last step proposes nothing: %s", f.NextSteps[len(f.NextSteps)-1])
		}
		lines += "  " + line + "\n"
	}
	inv := detecttest.Inventory(t, strings.Replace(dt.Carrier, "tunnels:\n", "tunnels:\n"+lines, 1))
	if diff := cmp.Diff([]string{}, detecttest.Titles(stage.Detect(tunnel.New(tunnel.DefaultConfig(), inv), dt.At(0), dt.At(10*time.Second)))); diff != "" {
		t.Errorf("with the proposed tunnels\n%sstill found:\n%s", lines, diff)
	}
}

func TestConfig(t *testing.T) {
	good := tunnel.DefaultConfig()
	if err := good.Validate(); err != nil {
		t.Error(err)
	}
	if err := new(tunnel.Config).Validate(); err == nil || err.Error() != "max_alerts: 0 is below 1" {
		t.Errorf("error %v", err)
	}
}
