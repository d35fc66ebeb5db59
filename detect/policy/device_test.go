package policy_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"tapwatch/detect"
	"tapwatch/detect/detecttest"
	dt "tapwatch/detect/device/devicetest"
	"tapwatch/detect/policy"
	"tapwatch/internal/testkit/stage"
)

// openCarrier is open for the carrier with routers.
func openCarrier(t *testing.T) *detecttest.Stage {
	t.Helper()
	return stage.Open(t, dt.Carrier)
}

func carrierDetector(t *testing.T) detect.Detector {
	return policy.New(policy.DefaultConfig(), detecttest.Inventory(t, dt.Carrier))
}

func TestDeviceConformance(t *testing.T) {
	detecttest.Run(t, detecttest.Suite{
		New:  carrierDetector,
		Open: openCarrier,
		From: at(0), To: at(30 * second),
		Allowed: func(s *detecttest.Stage) {
			s.Flows(dt.Session(dt.Jump, dt.PE1, 22)...)
			s.Flows(dt.Datagrams(dt.NMS, dt.PE1, 161)...)
			s.Flows(dt.Session(dt.Controller, dt.PE1, 830)...)
			s.Flows(dt.Session(dt.P1, dt.PE1, 22)...)
			s.Flows(dt.Session(dt.PE1, dt.PE2, 179)...)
		},
		Suspicious: func(s *detecttest.Stage) {
			s.Flows(dt.Session(dt.Outside, dt.PE1, 22)...)
			s.Flows(dt.Session(dt.PE1, dt.PE2, 22)...)
			s.Flows(dt.Session(dt.Loopback, dt.PE2, 22)...)
			s.Flows(dt.Session(dt.CoreHost, dt.PE2, 4786)...)
			s.Flows(dt.Session(dt.PE2, dt.Outside, 21)...)
		},
	})
}

func TestDevices(t *testing.T) {
	place := " (RU, AS64500 Example Hosting)"
	scan := dt.Session(dt.Outside, dt.PE1, 22)[:1]
	scan[0].Flags, scan[0].Packets, scan[0].Bytes = detecttest.SYN, 2, 120
	probe := dt.Datagrams(dt.CoreHost, dt.PE1, 161)[:1]
	dt.Scenarios(t, openCarrier(t), carrierDetector(t),
		dt.Case("ssh by the jump host", dt.Session(dt.Jump, dt.PE1, 22)),
		dt.Case("netconf by automation under a rule", dt.Session(dt.Controller, dt.PE1, 830)),
		dt.Case("automation on another port", dt.Session(dt.Controller, dt.PE1, 22),
			"high: controller-1 (10.40.5.5, core-east) opened SSH (tcp/22) to pe1.east, a router in routers, from outside the management zones"),
		dt.Case("ssh from outside", dt.Session(dt.Outside, dt.PE1, 22),
			"critical: 203.0.113.66"+place+" opened SSH (tcp/22) to pe1.east, a router in routers, from outside the management zones"),
		dt.Case("web management of a firewall of the core", dt.Session("100.64.0.9", dt.Firewall, 443),
			"high: 100.64.0.9 (subscribers) opened HTTPS (tcp/443) to fw1.east, a Firewall in core-east, from outside the management zones"),
		dt.Case("a scan", scan),
		dt.Case("an unanswered probe by a host of ours", probe),
		dt.Case("snmp by a host that is no manager", dt.Datagrams(dt.CoreHost, dt.PE1, 161),
			"high: 10.40.7.7 (core-east) opened SNMP (udp/161) to pe1.east, a router in routers, from outside the management zones"),
		dt.Case("a core system is no device", dt.Session(dt.Outside, dt.HSS, 22)),
		dt.Case("routing", dt.Session(dt.PE1, dt.PE2, 179)),
		dt.Case("ssh from router to router", dt.Session(dt.PE1, dt.PE2, 22),
			"high: pe1.east (10.30.0.1, routers) opened SSH (tcp/22) to pe2.east, a router in routers: devices do not manage each other"),
		dt.Case("under a rule", dt.Session(dt.P1, dt.PE1, 22)),
		dt.Case("between the addresses of one router", dt.Session(dt.PE1, dt.PE1Other, 22)),
		dt.Case("an unknown loopback opens ssh", dt.Session(dt.Loopback, dt.PE1, 22),
			"high: 10.30.0.77 (routers) opened SSH (tcp/22) to pe1.east, a router in routers: no asset owns 10.30.0.77"),
		dt.Case("an unknown loopback opens ssh to the outside", dt.Session(dt.Loopback, dt.Outside, 22),
			"high: 10.30.0.77 of routers opened SSH (tcp/22) to 203.0.113.66"+place+": no asset owns 10.30.0.77"),
		dt.Case("an unknown loopback serves ssh", dt.Session(dt.Outside, dt.Loopback, 22),
			"high: 203.0.113.66"+place+" opened SSH (tcp/22) to 10.30.0.77, an address in routers that no asset owns: no asset owns 10.30.0.77"),
		dt.Case("an unknown loopback serves our own people", dt.Session(dt.Jump, dt.Loopback, 22),
			"medium: jump-1 (10.20.0.5, management) opened SSH (tcp/22) to 10.30.0.77, an address in routers that no asset owns: no asset owns 10.30.0.77"),
		dt.Case("an unknown loopback routes", dt.Session(dt.Loopback, dt.PE1, 179)),
		dt.Case("smart install from outside", dt.Session(dt.Outside, dt.PE1, 4786),
			"high: 203.0.113.66"+place+" opened Smart Install (tcp/4786) to pe1.east, a router in routers: no device ought to have this service"),
		dt.Case("telnet by our own people", dt.Session(dt.Jump, dt.PE1, 23),
			"medium: jump-1 (10.20.0.5, management) opened Telnet (tcp/23) to pe1.east, a router in routers: no device ought to have this service"),
		dt.Case("telnet from router to router is telnet", dt.Session(dt.PE1, dt.PE2, 23),
			"high: pe1.east (10.30.0.1, routers) opened Telnet (tcp/23) to pe2.east, a router in routers: no device ought to have this service"),
		dt.Case("ftp by a device", dt.Session(dt.PE1, dt.Outside, 21),
			"high: pe1.east of routers opened FTP (tcp/21) to 203.0.113.66"+place+": no device ought to have this service"),
		dt.Case("a device asks for a file by tftp", dt.Datagrams(dt.PE1, dt.CoreHost, 69)[:1],
			"high: pe1.east of routers opened TFTP (udp/69) to 10.40.7.7 (core-east): no device ought to have this service"),
		dt.Case("the same under a rule", dt.Datagrams(dt.PE1, "10.20.0.50", 69)[:1]),
		dt.Case("somebody asks a device for a file", dt.Datagrams(dt.Outside, dt.PE1, 69)[:1]),
		dt.Case("lawful intercept has its own rules", dt.Session(dt.MDF3, dt.PE1, 22),
			"high: mdf3-1 of li-east opened SSH (tcp/22) to pe1.east (10.30.0.1, routers)"),
	)
}

// TestExposedDevice: a service that is open to the world is one alert, however many find it
// and whenever; one inside that goes round the devices is one as well.
func TestExposedDevice(t *testing.T) {
	stage := openCarrier(t)
	var flows []dt.Flow
	for i := range 60 {
		flows = append(flows, dt.Later(time.Duration(i%2)*10*second, dt.Session(fmt.Sprintf("198.18.7.%d", i+1), dt.PE1, 443))...)
	}
	for i, device := range []string{dt.PE1, dt.PE2, dt.P1, dt.PE1Other} {
		flows = append(flows, dt.Later(time.Duration(i%2)*10*second, dt.Session(dt.CoreHost, device, 22))...)
	}
	stage.Flows(flows...)
	found := stage.Detect(carrierDetector(t), at(0), at(20*second))
	ids := map[string]bool{}
	for _, f := range found {
		ids[f.ID] = true
	}
	if len(found) != 4 || len(ids) != 2 {
		t.Errorf("%d findings of %d alerts, want 4 of 2: %q", len(found), len(ids), detecttest.Titles(found))
	}
	if titles := detecttest.Titles(found); !slices.ContainsFunc(titles, func(title string) bool { return strings.Contains(title, "and so did 29 other addresses") }) {
		t.Errorf("no title counts who came: %q", titles)
	}
}

// TestManyLoopbacksFold: a zone of which most addresses are not in the inventory does
// not flood.
func TestManyLoopbacksFold(t *testing.T) {
	stage := openCarrier(t)
	var flows []dt.Flow
	for i := range 40 {
		flows = append(flows, dt.Session(fmt.Sprintf("10.30.0.%d", i+100), dt.PE1, 22)...)
	}
	stage.Flows(flows...)
	found := stage.Detect(carrierDetector(t), at(0), at(10*second))
	if len(found) != 1 || !strings.Contains(found[0].Title, "and so did 39 other addresses") {
		t.Errorf("found %q, want one", detecttest.Titles(found))
	}
}

// TestZoneWithoutAssets: where the inventory lists no device of a zone, none is missed.
func TestZoneWithoutAssets(t *testing.T) {
	stage := openCarrier(t)
	stage.Flows(dt.Session(dt.Jump, dt.Loopback, 22)...)
	start := strings.Index(dt.Carrier, "    assets:\n      - {name: pe1.east")
	end := strings.Index(dt.Carrier, "  - name: radio\n")
	yaml := dt.Carrier[:start] + dt.Carrier[end:]
	for _, name := range []string{"hop", "lab-aaa", "partner"} {
		from := strings.Index(yaml, "  - {name: "+name+",")
		yaml = yaml[:from] + yaml[from+strings.Index(yaml[from:], "\n")+1:]
	}
	d := policy.New(policy.DefaultConfig(), detecttest.Inventory(t, yaml))
	if found := stage.Detect(d, at(0), at(10*second)); len(found) > 0 {
		t.Errorf("found %q", detecttest.Titles(found))
	}
}
