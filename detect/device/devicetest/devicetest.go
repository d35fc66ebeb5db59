// Package devicetest is what the tests of the detectors about devices have in common: a
// carrier with routers, and sessions in short notation. Only tests import it.
package devicetest

import (
	_ "embed"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tapwatch/detect"
	"tapwatch/detect/detecttest"
	"tapwatch/flow"
)

// Carrier is the inventory, as YAML.
//
//go:embed carrier.yaml
var Carrier string

// The addresses of the carrier and of others.
const (
	MDF3       = "10.66.0.30"
	HSS        = "10.40.1.10"
	SBC        = "10.40.1.20"
	Gateway    = "10.40.1.30" // ends tunnels by trade
	Controller = "10.40.5.5"
	CoreHost   = "10.40.7.7" // no asset owns it
	Firewall   = "10.40.9.1"
	Jump       = "10.20.0.5"
	AAA1       = "10.20.0.10"
	AAA2       = "10.20.0.11"
	NMS        = "10.20.0.30"
	Archive    = "10.20.0.40"
	PE1        = "10.30.0.1"
	PE1Other   = "10.30.0.11"
	PE2        = "10.30.0.2"
	P1         = "10.30.0.3"
	Loopback   = "10.30.0.77" // no asset owns it
	Outside    = "203.0.113.66"
	Outside2   = "203.0.113.67"
	Licences   = "192.0.2.80"
)

// Flow is short for a record of the tests.
type Flow = detecttest.Flow

// At is a moment of the tests' time.
func At(d time.Duration) time.Time { return detecttest.At(d) }

// Client is the port that the client of a session takes unless the test says otherwise.
const Client = 40000

// Session is a TCP connection in both directions, received 5 s after the beginning, of
// which a router that meters every packet saw the client's first packet first.
func Session(src, dst string, port uint16) []Flow { return Sized(src, dst, port, 12000, 80000) }

// Sized is a Session in which the client sent and received so many bytes, in packets of
// up to 1000.
func Sized(src, dst string, port uint16, up, down uint64) []Flow {
	f := Flow{At: At(5 * time.Second), Begin: At(time.Second), Src: src, Dst: dst, SrcPort: Client, DstPort: port,
		Flags: detecttest.Session, Packets: up/1000 + 1, Bytes: up}
	return []Flow{f, f.Back(down/1000+1, down).Begun(At(1200 * time.Millisecond))}
}

// Ports gives a session other ports.
func Ports(s []Flow, client, server uint16) []Flow {
	s[0].SrcPort, s[0].DstPort = client, server
	s[1].SrcPort, s[1].DstPort = server, client
	return s
}

// Blind removes from the records what tells who opened the session, as sampling does.
func Blind(s []Flow) []Flow {
	for i := range s {
		s[i].Flags, s[i].Sampling = detecttest.ACK|detecttest.PSH, 100
	}
	return s
}

// Datagrams is a UDP exchange in both directions.
func Datagrams(src, dst string, port uint16) []Flow {
	f := Flow{At: At(5 * time.Second), Begin: At(time.Second), Src: src, Dst: dst, SrcPort: Client, DstPort: port, Protocol: flow.ProtocolUDP, Packets: 4, Bytes: 400}
	return []Flow{f, f.Back(4, 600)}
}

// Packets is traffic of a protocol without ports, one way.
func Packets(src, dst string, protocol uint8) Flow {
	return Flow{At: At(5 * time.Second), Src: src, Dst: dst, Protocol: protocol, Packets: 50, Bytes: 40_000}
}

// Later moves all records by d.
func Later(d time.Duration, flows []Flow) []Flow {
	moved := make([]Flow, len(flows))
	for i, f := range flows {
		moved[i] = f.Later(d)
	}
	return moved
}

// Scenario is what a window of traffic must raise.
type Scenario struct {
	name  string
	flows []Flow
	want  []string
	next  bool // look at the window after the first as well
}

// Case is a scenario: these flows, as of the first window, raise alerts with these
// severities and titles and no others.
func Case(name string, flows []Flow, want ...string) Scenario {
	return Scenario{name: name, flows: flows, want: want}
}

// Long is a scenario of half a minute.
func Long(name string, flows []Flow, want ...string) Scenario {
	return Scenario{name: name, flows: flows, want: want, next: true}
}

// apart keeps scenarios from one another.
const apart = 10 * time.Minute

// Scenarios stores the flows of all scenarios, each in a time of its own, and lets the
// detector look at each.
func Scenarios(t *testing.T, stage *detecttest.Stage, d detect.Detector, all ...Scenario) {
	t.Helper()
	var flows []Flow
	for i, s := range all {
		flows = append(flows, Later(time.Duration(i)*apart, s.flows)...)
	}
	stage.Flows(flows...)
	for i, s := range all {
		t.Run(s.name, func(t *testing.T) {
			from := At(time.Duration(i) * apart)
			to := from.Add(10 * time.Second)
			if s.next {
				to = from.Add(30 * time.Second)
			}
			found := stage.Detect(d, from, to)
			if diff := cmp.Diff(append([]string{}, s.want...), detecttest.Titles(found)); diff != "" {
				t.Errorf("alerts (-want +got):\n%s", diff)
			}
			for _, f := range found {
				if stage.Rows(f.SQL) == 0 {
					t.Errorf("the query of %q shows nothing:\n%s", f.Title, f.SQL)
				}
			}
		})
	}
}
