package aaa_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tapwatch/alert"
	"tapwatch/detect/aaa"
	"tapwatch/detect/detecttest"
	dt "tapwatch/detect/device/devicetest"
)

func TestConformance(t *testing.T) {
	detecttest.Run(t, detecttest.Suite{
		New:  detector,
		Open: open,
		From: dt.At(0), To: dt.At(30 * time.Second),
		Allowed: func(s *detecttest.Stage) {
			s.Flows(dt.Session(dt.PE1, dt.AAA1, 49)...)
			s.Flows(dt.Datagrams(dt.PE1, dt.AAA1, 1812)...)
		},
		Suspicious: func(s *detecttest.Stage) {
			s.Flows(dt.Session(dt.PE1, dt.Outside, 49)...)
			s.Flows(dt.Datagrams(dt.PE2, dt.CoreHost, 1812)...)
			s.Flows(dt.Datagrams(dt.AAA1, dt.Outside2, 1812)...)
		},
	})
}

func TestScenarios(t *testing.T) {
	syn := dt.Session(dt.PE1, dt.Outside, 49)[:1]
	syn[0].Flags, syn[0].Packets, syn[0].Bytes = detecttest.SYN, 3, 180
	equal := dt.Ports(dt.Datagrams(dt.PE1, dt.CoreHost, 1812), 1812, 1812)
	answer := dt.Datagrams(dt.CoreHost, dt.PE1, 1812)[:1]
	answer[0].SrcPort, answer[0].DstPort = 1812, 40000
	scatter := dt.Session(dt.Outside, dt.PE1, 49)[:1]
	scatter[0].SrcPort, scatter[0].DstPort, scatter[0].Flags, scatter[0].Packets, scatter[0].Bytes = 49, 40000, detecttest.SYN|detecttest.ACK, 2, 88
	place := " (RU, AS64500 Example Hosting)"
	dt.Scenarios(t, open(t), detector(t),
		dt.Case("the first listed server", dt.Session(dt.PE1, dt.AAA1, 49)),
		dt.Case("failover to the second", dt.Session(dt.PE1, dt.AAA2, 49)),
		dt.Case("radius to a listed server", dt.Datagrams(dt.P1, dt.AAA2, 1813)),
		dt.Case("a server that a rule allows", dt.Session(dt.PE2, "10.40.5.50", 49)),
		dt.Case("the same server from another device", dt.Session(dt.PE1, "10.40.5.50", 49),
			"critical: pe1.east asks for logins by TACACS+ (tcp/49) at 10.40.5.50 (core-east), which is not a listed server"),
		dt.Case("tacacs to the outside", dt.Session(dt.PE1, dt.Outside, 49),
			"critical: pe1.east asks for logins by TACACS+ (tcp/49) at 203.0.113.66"+place+", which is not a listed server"),
		dt.Case("tacacs to the outside that is not answered", syn,
			"high: pe1.east tried to ask for logins by TACACS+ (tcp/49) at 203.0.113.66"+place+", which is not a listed server"),
		dt.Case("radius to a host inside", dt.Datagrams(dt.PE1, dt.CoreHost, 1812),
			"critical: pe1.east asks for logins by RADIUS (udp/1812) at 10.40.7.7 (core-east), which is not a listed server"),
		dt.Case("radius that nobody answers", dt.Datagrams(dt.PE1, dt.Outside, 1645)[:1],
			"critical: pe1.east asks for logins by RADIUS (udp/1645) at 203.0.113.66"+place+", which is not a listed server"),
		dt.Case("radius between equal ports", equal,
			"critical: pe1.east asks for logins by RADIUS (udp/1812) at 10.40.7.7 (core-east), which is not a listed server"),
		dt.Case("only the answer is exported", answer,
			"critical: pe1.east asks for logins by RADIUS (udp/1812) at 10.40.7.7 (core-east), which is not a listed server"),
		dt.Case("radsec by a firewall of the core", dt.Session(dt.Firewall, dt.Outside, 2083),
			"critical: fw1.east asks for logins by RadSec (tcp/2083) at 203.0.113.66"+place+", which is not a listed server"),
		dt.Case("two devices, one server", append(dt.Session(dt.PE1, dt.Outside, 49), dt.Session(dt.PE2, dt.Outside, 49)...),
			"critical: pe1.east and 1 other system ask for logins by TACACS+ (tcp/49) at 203.0.113.66"+place+", which is not a listed server"),
		dt.Case("roaming partners under a rule", dt.Datagrams(dt.AAA1, "192.0.2.90", 1812)),
		dt.Case("a server of ours asks outside", dt.Datagrams(dt.AAA1, dt.Outside, 1812),
			"critical: aaa-1 asks for logins by RADIUS (udp/1812) at 203.0.113.66"+place+", outside the management zones"),
		dt.Case("a host of management asks a neighbour", dt.Session(dt.Jump, "10.20.0.99", 49)),
		dt.Case("a core system is no device", dt.Session(dt.HSS, dt.Outside, 49)),
		dt.Case("a subscriber asks a server outside", dt.Datagrams("100.64.0.9", dt.Outside, 1812)),
		dt.Case("backscatter of an attack on a server", scatter),
		dt.Case("somebody asks the device", dt.Datagrams(dt.Outside, dt.PE1, 1812)[:1]),
		dt.Case("another port", dt.Session(dt.PE1, dt.Outside, 50)),
	)
}

// TestNoServersListed: a new installation that has not listed its servers gets a hint
// for each server inside, and the alarm for one outside.
func TestNoServersListed(t *testing.T) {
	stage := open(t)
	stage.Flows(dt.Session(dt.PE1, dt.AAA1, 49)...)
	stage.Flows(dt.Session(dt.PE2, dt.AAA1, 49)...)
	stage.Flows(dt.Session(dt.PE2, dt.Outside, 49)...)
	inv := detecttest.Inventory(t, strings.Replace(dt.Carrier, "  aaa: [10.20.0.10, 10.20.0.11]\n", "", 1))
	found := stage.Detect(aaa.New(aaa.DefaultConfig(), inv), dt.At(0), dt.At(10*time.Second))
	if diff := cmp.Diff([]string{
		"critical: pe2.east asks for logins by TACACS+ (tcp/49) at 203.0.113.66 (RU, AS64500 Example Hosting), which is not a listed server",
		"low: pe1.east and 1 other system ask for logins by TACACS+ (tcp/49) at aaa-1 (10.20.0.10, management), and the inventory lists no such server",
	}, detecttest.Titles(found)); diff != "" {
		t.Errorf("alerts (-want +got):\n%s", diff)
	}
}

// TestOneAlert: the same server is one alert, whichever device asks and whenever.
func TestOneAlert(t *testing.T) {
	stage := open(t)
	stage.Flows(dt.Session(dt.PE1, dt.Outside, 49)...)
	stage.Flows(dt.Later(10*time.Second, dt.Session(dt.PE2, dt.Outside, 49))...)
	found := stage.Detect(detector(t), dt.At(0), dt.At(20*time.Second))
	if len(found) != 2 || found[0].ID != found[1].ID {
		t.Errorf("found %d, want two findings of one alert: %q", len(found), detecttest.Titles(found))
	}
}

// TestManyServersFold: somebody who tries all addresses from a device is one alert.
func TestManyServersFold(t *testing.T) {
	stage := open(t)
	var tries []detecttest.Flow
	for i := range 40 {
		tries = append(tries, dt.Session(dt.PE1, fmt.Sprintf("198.18.0.%d", i+1), 49)...)
	}
	stage.Flows(tries...)
	found := stage.Detect(detector(t), dt.At(0), dt.At(10*time.Second))
	if len(found) != 1 || found[0].Severity != alert.Critical || !strings.Contains(found[0].Title, "and 39 other servers") {
		t.Errorf("found %q, want one", detecttest.Titles(found))
	}
}

func TestConfig(t *testing.T) {
	good := aaa.DefaultConfig()
	if err := good.Validate(); err != nil {
		t.Error(err)
	}
	want := "services: is empty: name the inventory's service of AAA servers, such as aaa\ntcp: is empty, and so is udp: there is nothing to look at\nmax_alerts: 0 is below 1"
	if err := new(aaa.Config).Validate(); err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}
