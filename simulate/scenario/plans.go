package scenario

import "time"

// The intruders' addresses. They are arbitrary: chosen because address databases
// place them abroad, in networks that rent out servers. They stand in flow records
// only; nothing is ever sent to them.
const (
	rentedServer = "45.32.110.61"  // Singapore, AS 20473
	commandHost  = "51.158.187.44" // the Netherlands, AS 12876; on the demo's intelligence list
)

// Demo is the plan of `tapwatch demo`: three intrusions within two minutes.
func Demo() Plan {
	return Plan{
		liSSH(pace{start: 10 * time.Second, hop: 15 * time.Second, session: 20 * time.Minute, rhythm: 30 * time.Second, bytes: 400_000}),
		intelC2(40*time.Second, 12*time.Second, 2*time.Second, 30*time.Minute),
		silentExporter(90*time.Second, 10*time.Minute),
	}
}

// Default is the plan of a simulation of days: the same intrusions at the pace of
// people who take their time.
func Default() Plan {
	return Plan{
		liSSH(pace{start: 26 * time.Hour, hop: 40 * time.Minute, session: 9 * time.Hour, rhythm: 20 * time.Minute, bytes: 6_000_000}),
		intelC2(8*time.Hour, 15*time.Minute, 5*time.Second, 7*24*time.Hour),
		silentExporter(37*time.Hour, 3*time.Hour),
	}
}

// pace is how fast liSSH unfolds.
type pace struct {
	start, hop time.Duration // when it starts, and the time to the next step
	session    time.Duration // how long the intruder stays
	rhythm     time.Duration // between two transfers
	bytes      uint64        // of one transfer
}

func liSSH(p pace) Intrusion {
	last := p.start + p.hop + p.session
	return Intrusion{
		ID:          "li-ssh",
		Description: "From a rented server abroad the intruder holds router pe1.east through its second SSH port, reaches the mediation device mdf3-1 over SSH from outside and from the router, and copies intercepted content out in small portions.",
		Actors:      []string{rentedServer},
		Asset:       "mdf3-1",
		Detectors:   []string{"policy"},
		Tradecraft:  []string{"T2", "T12", "T15"},
		Techniques:  []string{"T1021.004", "T1078", "T1571", "T1030", "T1048.002"},
		Steps: []Step{
			{
				After: p.start, For: 4 * time.Second,
				Client: rentedServer, Server: "198.51.100.72", Protocol: TCP, Port: 22, Sent: 5_200, Received: 9_800,
				Say: "simulated intruder " + rentedServer + " opens SSH to mdf3-1, the device that delivers wiretapped content",
			},
			{
				After: p.start + 2*time.Second, For: p.session,
				Client: rentedServer, Server: "pe1.east", Protocol: TCP, Port: 57722, Sent: 900 * seconds(p.session), Received: 2_500 * seconds(p.session),
				Say: "simulated intruder " + rentedServer + " holds router pe1.east through SSH port 57722, which only Cisco IOS XR uses",
			},
			{
				After: p.start + p.hop, For: p.session,
				Client: "pe1.east", Server: "mdf3-1", Protocol: TCP, Port: 22, Sent: 350 * seconds(p.session), Received: 1_400 * seconds(p.session),
				Say: "the intruder goes on from router pe1.east to mdf3-1 over SSH",
			},
			{
				After: p.start + p.hop/2, For: 5 * time.Second, Every: p.rhythm, Until: last, Jitter: 0.4,
				Client: rentedServer, Server: "198.51.100.72", Protocol: TCP, Port: 22, Sent: p.bytes / 40, Received: p.bytes,
				Say: "the intruder starts to copy intercepted content from mdf3-1, a little at a time",
			},
		},
	}
}

func intelC2(start, every, lasts, until time.Duration) Intrusion {
	return Intrusion{
		ID:          "intel-c2",
		Description: "Malware on jump host jump-2 calls home at a steady beat, over TLS, to an address on the intelligence list.",
		Actors:      []string{commandHost},
		Asset:       "jump-2",
		Detectors:   []string{"intel"},
		Tradecraft:  []string{"T16"},
		Techniques:  []string{"T1071.001", "T1573.002"},
		Steps: []Step{{
			After: start, For: lasts, Every: every, Until: start + until, Jitter: 0.15,
			Client: "jump-2", Server: commandHost, Protocol: TCP, Port: 443, Sent: 1_900, Received: 3_100,
			Say: "malware on jump host jump-2 calls home to " + commandHost + ", an address on the intelligence list",
		}},
	}
}

func silentExporter(start, lasts time.Duration) Intrusion {
	return Intrusion{
		ID:          "silent-exporter",
		Description: "The intruder turns off flow export on router pe1.east to cover the tracks; its neighbours still see traffic through it.",
		Actors:      []string{rentedServer},
		Asset:       "pe1.east",
		Detectors:   []string{"telemetry"},
		Tradecraft:  []string{"T13"},
		Techniques:  []string{"T1562.006"},
		Steps: []Step{{
			After: start, For: lasts, Silence: "pe1.east",
			Say: "the intruder turns off flow export on router pe1.east; the routers next to it still see its traffic",
		}},
	}
}

// seconds is the whole seconds of d, for rates of bytes.
func seconds(d time.Duration) uint64 { return uint64(d / time.Second) }
