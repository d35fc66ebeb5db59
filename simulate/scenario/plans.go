package scenario

import (
	"fmt"
	"time"
)

// The intruders' addresses. They are arbitrary: chosen because address databases
// place them abroad, in networks that rent out servers. They stand in flow records
// only; nothing is ever sent to them.
const (
	rentedServer = "45.32.110.61"  // Singapore, AS 20473
	commandHost  = "51.158.187.44" // the Netherlands, AS 12876; on the demo's intelligence list
)

// More rented servers in the same networks, for the plan Hunts.
const (
	loginServer  = "45.32.111.49" // where stolen logins go
	tunnelServer = "45.32.112.47" // the far end of a tunnel
	fileServer   = "45.32.113.69" // takes configurations
	dropServer   = "45.32.114.43" // takes a little every day
	exploitHost  = "45.32.115.86" // reaches for devices from outside
)

// unlistedHost is an address of the lawful-intercept site that no asset has.
const unlistedHost = "10.66.0.99"

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

// Hunts is what the saved questions of package hunts look for: ten days, of which the
// last ends with two hours full of intrusions, from the ninth day, 20:00, on. Most of
// it is at routers that export every packet.
func Hunts() Plan {
	const evening = 9*24*time.Hour + 20*time.Hour
	return Plan{
		liSSH(pace{start: evening + 10*time.Minute, hop: 10 * time.Minute, session: 80 * time.Minute, rhythm: 2 * time.Minute, bytes: 400_000}),
		intelC2(evening+5*time.Minute, time.Minute, 2*time.Second, 110*time.Minute),
		silentExporter(evening+90*time.Minute, time.Hour),
		aaaRedirect(evening + 2*time.Minute),
		mirrorTunnel(evening + 15*time.Minute),
		configOut(evening + 25*time.Minute),
		snmpSweep(evening + 35*time.Minute),
		deviceAbuse(evening + 40*time.Minute),
		slowExfiltration(3*24*time.Hour + 10*time.Hour + 2*time.Minute),
		nightAdmin(evening + 50*time.Minute),
		backdoor(evening + 55*time.Minute),
		unlisted(evening + time.Hour),
		interceptSweep(evening + 65*time.Minute),
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

func aaaRedirect(start time.Duration) Intrusion {
	return Intrusion{
		ID: "aaa-redirect", Description: "Router dc1.west asks a rented server whether a login is right, and so hands it over.",
		Actors: []string{loginServer}, Asset: "dc1.west", Detectors: []string{"policy"}, Tradecraft: []string{"T6"}, Techniques: []string{"T1556.004"},
		Steps: []Step{{
			After: start, For: 2 * time.Second, Every: 5 * time.Minute, Until: start + 110*time.Minute, Jitter: 0.5,
			Client: "dc1.west", Server: loginServer, Protocol: TCP, Port: 49, Sent: 1_200, Received: 3_600,
		}},
	}
}

func mirrorTunnel(start time.Duration) Intrusion {
	return Intrusion{
		ID: "mirror-tunnel", Description: "Router pe1.west mirrors traffic into a GRE tunnel to a rented server; nothing comes back.",
		Actors: []string{tunnelServer}, Asset: "pe1.west", Detectors: []string{"policy"}, Tradecraft: []string{"T4", "T5"}, Techniques: []string{"T1572", "T1020.001"},
		Steps: []Step{{
			After: start, For: 90 * time.Minute,
			Client: "pe1.west", Server: tunnelServer, Protocol: GRE, Sent: 900_000_000,
		}},
	}
}

func configOut(start time.Duration) Intrusion {
	return Intrusion{
		ID: "config-out", Description: "Router dc1.east sends its configuration to a rented server by TFTP, and fetches a tool over HTTPS.",
		Actors: []string{fileServer}, Asset: "dc1.east", Detectors: []string{"policy"}, Tradecraft: []string{"T8", "T10"}, Techniques: []string{"T1602.002", "T1105"},
		Steps: []Step{
			{
				After: start, For: 30 * time.Second,
				Client: "dc1.east", Server: fileServer, Protocol: UDP, Port: 69, Sent: 9_000_000, Received: 400_000,
			},
			{
				After: start + time.Minute, For: 40 * time.Second,
				Client: "dc1.east", Server: fileServer, Protocol: TCP, Port: 443, Sent: 60_000, Received: 7_000_000,
			},
		},
	}
}

func snmpSweep(start time.Duration) Intrusion {
	in := Intrusion{
		ID: "snmp-sweep", Description: "From router dc1.east the intruder reads every other router by SNMP, with the community they share.",
		Actors: []string{"10.30.1.30"}, Asset: "core1.east", Detectors: []string{"policy"}, Tradecraft: []string{"T7"}, Techniques: []string{"T1602.001"},
	}
	for i, router := range []string{"core1.east", "core1.west", "core1.north", "pe1.west", "pe2.east", "pe1.north", "li1.east", "dc1.west"} {
		in.Steps = append(in.Steps, Step{
			After: start + time.Duration(i)*10*time.Second, For: 8 * time.Second,
			Client: "dc1.east", Server: router, Protocol: UDP, Port: 161, Sent: 40_000, Received: 160_000,
		})
	}
	return in
}

func deviceAbuse(start time.Duration) Intrusion {
	return Intrusion{
		ID: "device-abuse", Description: "The intruder opens router dc1.east through Smart Install and a shell on port 22022, and goes on to dc1.west.",
		Actors: []string{exploitHost}, Asset: "dc1.east", Detectors: []string{"policy"}, Tradecraft: []string{"T1", "T9", "T11"}, Techniques: []string{"T1190", "T1571", "T1021.004"},
		Steps: []Step{
			{
				After: start, For: 3 * time.Second,
				Client: exploitHost, Server: "dc1.east", Protocol: TCP, Port: 4786, Sent: 30_000, Received: 9_000,
			},
			{
				After: start + time.Minute, For: 15 * time.Minute,
				Client: exploitHost, Server: "dc1.east", Protocol: TCP, Port: 22022, Sent: 400_000, Received: 900_000,
			},
			{
				After: start + 3*time.Minute, For: 10 * time.Minute,
				Client: "dc1.east", Server: "dc1.west", Protocol: TCP, Port: 22, Sent: 200_000, Received: 700_000,
			},
		},
	}
}

// slowExfiltration sends a little each day, at the same time, until the ninth.
func slowExfiltration(start time.Duration) Intrusion {
	const day = 24 * time.Hour
	return Intrusion{
		ID: "slow-exfiltration", Description: "The subscriber database hss-1 sends a little to a rented server every day.",
		Actors: []string{dropServer}, Asset: "hss-1", Detectors: []string{"policy"}, Tradecraft: []string{"T16"}, Techniques: []string{"T1029", "T1030"},
		Steps: []Step{{
			After: start, For: 90 * time.Second, Every: day, Until: start + 6*day,
			Client: "hss-1", Server: dropServer, Protocol: TCP, Port: 443, Sent: 14_000_000, Received: 300_000,
		}},
	}
}

func nightAdmin(start time.Duration) Intrusion {
	return Intrusion{
		ID: "night-admin", Description: "With a valid account the intruder works on the subscriber database hss-1 from jump host jump-1 at night.",
		Actors: []string{"10.20.0.5"}, Asset: "hss-1", Tradecraft: []string{"T15"}, Techniques: []string{"T1078"},
		Steps: []Step{{
			After: start, For: 12 * time.Minute,
			Client: "jump-1", Server: "hss-1", Protocol: TCP, Port: 22, Sent: 90_000, Received: 600_000,
		}},
	}
}

func backdoor(start time.Duration) Intrusion {
	return Intrusion{
		ID: "backdoor", Description: "A tool that the intruder left on the user database udm-1 listens on port 31337 and is asked from mme-2.",
		Actors: []string{"10.41.2.10"}, Asset: "udm-1", Detectors: []string{"policy"}, Tradecraft: []string{"T16"}, Techniques: []string{"T1571"},
		Steps: []Step{{
			After: start, For: time.Minute, Every: 10 * time.Minute, Until: start + time.Hour,
			Client: "mme-2", Server: "udm-1", Protocol: TCP, Port: 31337, Sent: 20_000, Received: 80_000,
		}},
	}
}

func unlisted(start time.Duration) Intrusion {
	return Intrusion{
		ID: "unlisted-host", Description: "A machine that nobody listed stands in the lawful-intercept site and opens a shell on admf-1.",
		Actors: []string{unlistedHost}, Asset: "admf-1", Detectors: []string{"policy"}, Tradecraft: []string{"T15"}, Techniques: []string{"T1200", "T1021.004"},
		Steps: []Step{{
			After: start, For: 5 * time.Minute,
			Client: unlistedHost, Server: "admf-1", Protocol: TCP, Port: 22, Sent: 60_000, Received: 300_000,
		}},
	}
}

func interceptSweep(start time.Duration) Intrusion {
	in := Intrusion{
		ID: "intercept-sweep", Description: "From core system smf-2 the intruder tries one address of the lawful-intercept site after the other; most are nobody's.",
		Actors: []string{"10.41.3.10"}, Asset: "admf-1", Detectors: []string{"policy"}, Tradecraft: []string{"T17"}, Techniques: []string{"T1046"},
	}
	for i := range 16 {
		in.Steps = append(in.Steps, Step{
			After: start + time.Duration(i)*20*time.Second, For: 3 * time.Second,
			Client: "smf-2", Server: fmt.Sprintf("10.66.0.%d", 101+i), Protocol: TCP, Port: 443, Sent: 180,
		})
	}
	return in
}
