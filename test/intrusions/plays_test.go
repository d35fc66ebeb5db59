package intrusions

import (
	"time"

	"tapwatch/alert"
)

// plays are the recordings by name. What is said of each here is explained in
// docs/intrusions.md.
var plays = map[string]*play{
	"rita-missing-host": {
		want: []want{
			{"beacon", "steady-beat", "64.225.56.201", "73.54.23.243", "malicious/beacon-http", 8 * time.Hour, alert.Medium},
			{"longsession", "long-session", "64.225.56.201", "73.54.23.243", "malicious/long-ssh", 6 * time.Hour, alert.Medium},
		},
		others: map[string]int{"medium beacon/steady-beat": 14, "medium scan/port-scan": 1},
	},
	"c2-comfoo-24h": {
		want:   []want{{"beacon", "steady-beat", "192.168.99.52", "68.183.138.51", "malicious/c2", time.Hour, alert.Medium}},
		others: map[string]int{"medium beacon/steady-beat": 5},
	},
	"c2-havoc-4min": {
		want: []want{{"beacon", "steady-beat", "192.168.28.131", "192.168.99.245", "malicious/c2", time.Hour, alert.Medium}},
	},
	"c2-lab-normal": {},
	"ctu-001-zeek-scenario-malicious": {
		dateless: true,
		want:     []want{{"beacon", "steady-beat", "192.168.1.115", "41.108.179.197", "malicious/CC", time.Hour, alert.Medium}},
	},
	"ctu-002-zeek-scenario-port-scanning": {
		want: []want{
			{"scan", "network-scan", "", "172.16.1.11", "malicious/nmap-scan", 5 * time.Minute, alert.Medium},
			{"scan", "port-scan", "", "172.16.1.11", "malicious/nmap-scan", 5 * time.Minute, alert.Medium},
		},
	},
	"ctu-003-zeek-scenario-malicious": {
		want: []want{{"beacon", "steady-beat", "10.8.0.61", "147.32.83.234", "malicious/AndroidTester-C2", 2 * time.Hour, alert.Medium}},
	},
	"ctu-005-zeek-scenario-malicious": {dateless: true},
	"ctu-008-zeek-mixed": {
		others: map[string]int{"medium beacon/steady-beat": 6, "medium longsession/long-session": 1},
	},
	"slips-portscan-vertical": {
		want: []want{{"scan", "port-scan", "45.33.32.156", "192.168.1.9", "malicious/vertical-scan", 10 * time.Second, alert.Medium}},
	},
	"slips-test11-portscan": {},
	"slips-test2-malicious": {
		others: map[string]int{"medium beacon/steady-beat": 2, "low telemetry/active-timeout-changed": 1},
	},
	"slips-test4-malicious": {},
	"slips-test9-mixed":     {dateless: true},
}
