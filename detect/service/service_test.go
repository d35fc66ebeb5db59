package service_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tapwatch/detect/detecttest"
	dt "tapwatch/detect/device/devicetest"
	"tapwatch/detect/service"
)

const day = 24 * time.Hour

func TestConformance(t *testing.T) {
	detecttest.Run(t, detecttest.Suite{
		New:  detector,
		Open: open,
		From: dt.At(0), To: dt.At(30 * time.Second),
		Allowed: func(s *detecttest.Stage) {
			s.Flows(dt.Ports(dt.Session(dt.PE1, "10.20.0.60", 57500), 57722, 57500)...)
			s.Flows(dt.Session(dt.Jump, dt.PE1, 22)...)
			s.Flows(history()...)
		},
		Suspicious: func(s *detecttest.Stage) {
			s.Flows(history()...)
			s.Flows(dt.Session(dt.Outside, dt.PE1, 57722)...)
			s.Flows(dt.Session(dt.CoreHost, dt.HSS, 8888)...)
			s.Flows(dt.Session("10.80.0.9", dt.HSS, 8888)...)
		},
	})
}

// history is 16 days in which hss-1 and sbc-1 serve HTTPS, and sbc-1 once served a
// dynamic port.
func history() []dt.Flow {
	var all []dt.Flow
	for d := 16; d >= 1; d-- {
		all = append(all, dt.Later(-time.Duration(d)*day, dt.Session(dt.CoreHost, dt.HSS, 443))...)
		all = append(all, dt.Later(-time.Duration(d)*day, dt.Session("10.80.0.9", dt.SBC, 443))...)
		if d == 5 {
			all = append(all, dt.Later(-5*day, dt.Session("10.80.0.9", dt.SBC, 40010))...)
		}
	}
	return all
}

func TestOddPorts(t *testing.T) {
	place := " (RU, AS64500 Example Hosting)"
	serves := func(server, port string) string {
		return server + " answers 203.0.113.66" + place + " on " + port + ", where no device ought to serve"
	}
	syn := dt.Session(dt.Outside, dt.PE1, 57722)
	syn[0].Begin, syn[1].Begin = time.Time{}, time.Time{} // the router gives no times
	first := syn[0]
	first.Flags, first.Packets, first.Bytes = detecttest.SYN, 1, 60
	twice := append(dt.Blind(dt.Session(dt.Outside, dt.PE1, 57722)), dt.Blind(dt.Ports(dt.Session(dt.Outside, dt.PE1, 57722), 41000, 57722))...)
	reversed := dt.Ports(dt.Session(dt.PE1, dt.Outside, 9443), 57722, 9443)
	dt.Scenarios(t, open(t), detector(t),
		dt.Case("the second ssh of ios xr", dt.Session(dt.Outside, dt.PE1, 57722), "critical: "+serves("pe1.east", "IOS XR SSH (tcp/57722)")),
		dt.Case("ssh on a port that ends in 22", dt.Session(dt.Outside, dt.PE1, 10022), "critical: "+serves("pe1.east", "tcp/10022")),
		dt.Case("from inside", dt.Session(dt.CoreHost, dt.PE1, 22322),
			"critical: pe1.east answers 10.40.7.7 (core-east) on tcp/22322, where no device ought to serve"),
		dt.Case("web management moved", dt.Session(dt.Outside, dt.Firewall, 18443), "critical: "+serves("fw1.east", "tcp/18443")),
		dt.Case("by our own jump host", dt.Session(dt.Jump, dt.PE1, 10022),
			"high: pe1.east answers jump-1 (10.20.0.5, management) on tcp/10022, where no device ought to serve"),
		dt.Case("a first packet of its own record", append([]dt.Flow{first}, syn...), "critical: "+serves("pe1.east", "IOS XR SSH (tcp/57722)")),
		dt.Case("no first packet, one session", dt.Blind(dt.Session(dt.Outside, dt.PE1, 57722)), "high: "+serves("pe1.east", "IOS XR SSH (tcp/57722)")),
		dt.Case("no first packets, sessions from two ports", twice, "critical: "+serves("pe1.east", "IOS XR SSH (tcp/57722)")),
		dt.Case("no first packet, a low port", dt.Blind(dt.Session(dt.Outside, dt.PE1, 10022)), "medium: "+serves("pe1.east", "tcp/10022")),
		dt.Case("no first packet, two high ports", dt.Blind(dt.Ports(dt.Session(dt.Outside, dt.PE1, 1), 50500, 40022))),
		dt.Case("the device is the client, on a port like that", reversed),
		dt.Case("the same toward a known service", dt.Ports(dt.Session(dt.PE1, dt.Outside, 443), 18022, 443)),
		dt.Case("the same, and a rule allows it", dt.Ports(dt.Blind(dt.Session(dt.PE1, "10.20.0.60", 57500)), 10022, 57500)),
		dt.Case("a scan of the port", []dt.Flow{first}),
		dt.Case("a core system is no device", dt.Session(dt.Outside, dt.SBC, 57722)),
		dt.Case("an ordinary port", dt.Session(dt.Outside, dt.PE1, 10023)),
		dt.Case("below the first odd one", dt.Session(dt.Outside, dt.PE1, 9922)),
	)
}

func TestNewListeners(t *testing.T) {
	stage := open(t)
	stage.Flows(history()...)
	two := append(dt.Session(dt.CoreHost, dt.HSS, 8888), dt.Session("10.80.0.9", dt.HSS, 8888)...)
	dt.Scenarios(t, stage, detector(t),
		dt.Case("known services", append(dt.Session("10.80.0.9", dt.HSS, 443), dt.Session("10.80.0.7", dt.SBC, 443)...)),
		dt.Case("two clients of a new one", two,
			"critical: hss-1, a subscriber database (HSS) in core-east serves tcp/8888, which it never did before, to 10.80.0.9 (radio) and 1 other client"),
		dt.Case("one client that gets little", dt.Sized("10.80.0.9", dt.HSS, 7777, 500, 1200)),
		dt.Case("one client that gets much", dt.Sized("10.80.0.9", dt.HSS, 7778, 500, 9000),
			"critical: hss-1, a subscriber database (HSS) in core-east serves tcp/7778, which it never did before, to 10.80.0.9 (radio)"),
		dt.Case("a neighbour of the zone", dt.Sized(dt.CoreHost, dt.HSS, 7779, 500, 9000),
			"high: hss-1, a subscriber database (HSS) in core-east serves tcp/7779, which it never did before, to 10.40.7.7 (core-east)"),
		dt.Case("what a rule allows", append(dt.Session(dt.SBC, dt.HSS, 3868), dt.Session(dt.CoreHost, dt.HSS, 3868)...)),
		dt.Case("another dynamic port of a system that served one", dt.Session("10.80.0.9", dt.SBC, 45678)),
		dt.Case("a dynamic port of a system that never did", dt.Session("10.80.0.9", dt.HSS, 45678),
			"critical: hss-1, a subscriber database (HSS) in core-east serves tcp/45678, which it never did before, to 10.80.0.9 (radio)"),
		dt.Case("a dns server new to its clients", dt.Datagrams("10.80.0.9", dt.HSS, 53)),
		dt.Case("a system that is new itself", append(dt.Session(dt.CoreHost, dt.Controller, 9000), dt.Session("10.80.0.9", dt.Controller, 9000)...)),
		dt.Case("an address that no asset owns", append(dt.Session(dt.HSS, dt.CoreHost, 9000), dt.Session("10.80.0.9", dt.CoreHost, 9000)...)),
		dt.Case("attempts", []dt.Flow{dt.Session("10.80.0.9", dt.HSS, 9001)[0].With(detecttest.SYN)}),
	)
}

// TestListenerGrowsOld: a new service gathers its clients for a day and is known after.
func TestListenerGrowsOld(t *testing.T) {
	stage := open(t)
	stage.Flows(history()...)
	small := func(client string) []dt.Flow { return dt.Sized(client, dt.HSS, 8888, 500, 1000) }
	stage.Flows(small("10.80.0.9")...)
	stage.Flows(dt.Later(5*time.Hour, small("10.80.0.10"))...)
	stage.Flows(dt.Later(30*time.Hour, small("10.80.0.11"))...)
	d := detector(t)
	for _, c := range []struct {
		at   time.Duration
		want int
	}{{0, 0}, {5 * time.Hour, 1}, {30 * time.Hour, 0}} {
		found := stage.Detect(d, dt.At(c.at), dt.At(c.at+10*time.Second))
		if len(found) != c.want {
			t.Errorf("%v after the first use found %q, want %d", c.at, detecttest.Titles(found), c.want)
		}
		if c.want == 1 && len(found) == 1 {
			if want := "2 clients since: 10.80.0.10, 10.80.0.9"; found[0].Reasons[1] != want {
				t.Errorf("the reason is %q, want %q", found[0].Reasons[1], want)
			}
		}
	}
	// The same in any order, though the detector keeps what it has read.
	again := stage.Detect(d, dt.At(5*time.Hour), dt.At(5*time.Hour+10*time.Second))
	if diff := cmp.Diff(1, len(again)); diff != "" {
		t.Errorf("the second window, run again after a later one (-want +got):\n%s", diff)
	}
}

func TestReady(t *testing.T) {
	stage := open(t)
	d := service.New(service.DefaultConfig(), detecttest.Inventory(t, dt.Carrier))
	ready, err := d.Ready(t.Context(), dt.At(0), stage.History())
	if err != nil || len(ready) != 1 || ready[0].Have != 0 || ready[0].Need != 14 {
		t.Errorf("of nothing %+v, %v", ready, err)
	}
	stage.Flows(history()[:2]...)
	stage.Flows(dt.Later(-9*day, dt.Session(dt.Jump, dt.PE1, 22))...)
	ready, err = d.Ready(t.Context(), dt.At(time.Hour), stage.History())
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, r := range ready {
		got[r.What] = float64(int(r.Have))
	}
	if diff := cmp.Diff(map[string]float64{"new services in core-east": 14, "new services in routers": 9}, got); diff != "" {
		t.Errorf("days of history (-want +got):\n%s", diff)
	}
}

func TestConfig(t *testing.T) {
	good := service.DefaultConfig()
	if err := good.Validate(); err != nil {
		t.Error(err)
	}
	bad := service.DefaultConfig()
	bad.OddPorts, bad.Ranges, bad.OddEndings, bad.WarmUpDays, bad.MinClients = []string{"0"}, []string{"9-2"}, []uint16{122}, 40, 0
	err := bad.Validate()
	if err == nil {
		t.Fatal("nothing is wrong with it")
	}
	for _, want := range []string{`odd_ports[0]: "0" is no port`, `ranges[0]: "9-2" is no port`, "odd_endings[0]: 122 has more than two digits", "warm_up_days: 40 does not do", "min_clients: is 0"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not say %q", err, want)
		}
	}
}
