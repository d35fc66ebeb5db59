package campaign

import "time"

// technique is something that can be planted.
type technique struct {
	key        string
	tradecraft []string
	// detectors are those of which any ought to find it.
	detectors []string
	// short says that it shows within two days, without weeks of history.
	short bool
	// takes is how much of the attack half it needs, at most.
	takes time.Duration
	plant func(p *planting)
}

const (
	aDay  = 24 * time.Hour
	aWeek = 7 * aDay
)

// catalogue lists the techniques. Their tradecraft is that of the threat catalogue
// (docs/detection.md): T1 odd listeners to T17 probe bursts.
func catalogue() []technique {
	one := func(s string) []string { return []string{s} }
	return []technique{
		{"li-login", one("T15"), one("policy"), true, 6 * time.Hour, plantLILogin},
		{"mgmt-outside", one("T9"), one("policy"), true, 6 * time.Hour, plantManagementOutside},
		{"device-lateral", []string{"T10", "T11"}, one("policy"), true, 6 * time.Hour, plantDeviceLateral},
		{"unknown-loopback", one("T11"), one("policy"), true, 6 * time.Hour, plantUnknownLoopback},
		{"legacy-service", []string{"T8", "T9"}, one("policy"), true, 6 * time.Hour, plantLegacyService},
		{"odd-listener", []string{"T1", "T2", "T3"}, one("service"), true, 6 * time.Hour, plantOddListener},
		{"new-listener", one("T10"), one("service"), false, 12 * time.Hour, plantNewListener},
		{"aaa-diversion", one("T6"), one("aaa"), true, 12 * time.Hour, plantAAADiversion},
		{"device-transfer", one("T8"), one("transfer"), true, 6 * time.Hour, plantDeviceTransfer},
		{"tftp-transfer", one("T8"), one("transfer"), true, 6 * time.Hour, plantTFTPTransfer},
		{"tunnel-gre", one("T4"), one("tunnel"), true, aDay, plantTunnelGRE},
		{"tunnel-ipsec", one("T4"), one("tunnel"), true, aDay, plantTunnelIPsec},
		{"tunnel-udp", one("T4"), one("tunnel"), true, aDay, plantTunnelUDP},
		{"mirror", one("T5"), one("mirror"), true, 8 * time.Hour, plantMirror},
		{"exporter-silent", one("T13"), one("telemetry"), true, 12 * time.Hour, plantExporterSilent},
		{"syslog-silent", one("T13"), one("telemetry"), true, aDay, plantSyslogSilent},
		{"sampling-changed", one("T13"), one("telemetry"), true, 12 * time.Hour, plantSamplingChanged},
		{"intel-contact", one("T16"), one("intel"), true, 12 * time.Hour, plantIntelContact},
		{"fence", one("T16"), one("geo"), true, 12 * time.Hour, plantFence},
		{"spoofed-infra", one("T14"), one("geo"), true, 2 * time.Hour, plantSpoofedInfra},
		{"first-seen", one("T15"), one("firstseen"), false, 3 * aDay, plantFirstSeen},
		{"new-asn", one("T15"), one("firstseen"), false, 3 * aDay, plantNewASN},
		{"off-hours", one("T15"), one("offhours"), false, 4 * aDay, plantOffHours},
		{"volume", one("T16"), one("volume"), false, 3 * time.Hour, plantVolume},
		{"pcr", one("T16"), one("volume"), false, 2*aDay + 6*time.Hour, plantPCR},
		{"slow-leak", one("T8"), one("slowleak"), false, 14 * aDay, plantSlowLeak},
		{"staging", one("T8"), one("staging"), false, 4 * aDay, plantStaging},
		{"beacon-periodic", one("T16"), one("beacon"), true, aDay + 4*time.Hour, plantBeacon(0.01, 0, 10, 60)},
		{"beacon-jitter20", one("T16"), one("beacon"), true, aDay + 4*time.Hour, plantBeacon(0.2, 0, 10, 40)},
		{"beacon-jitter50-48", one("T16"), one("beacon"), true, aDay + 4*time.Hour, plantBeacon(0.5, 48, 10, 29)},
		{"beacon-jitter50-100", one("T16"), one("beacon"), true, aDay + 4*time.Hour, plantBeacon(0.5, 100, 5, 14)},
		{"beacon-multi-day", one("T16"), one("beacon"), false, aWeek, plantBeaconDays},
		{"coverage-beacon", one("T16"), one("beacon"), false, aWeek + 12*time.Hour, plantCoverage},
		{"long-session", one("T1"), one("longsession"), true, 41 * time.Hour, plantLongSession},
		{"relay", one("T12"), one("relay"), true, 2 * aDay, plantRelay},
		{"scan-fast", one("T17"), one("scan"), true, 2 * time.Hour, plantScanFast},
		{"scan-slow", one("T17"), one("scan"), true, aDay, plantScanSlow},
		{"snmp-walk", one("T7"), one("scan"), true, 2 * time.Hour, plantSNMPWalk},
	}
}

// traps lists the benign look-alikes. Their detectors are those that might be fooled.
func traps() []technique {
	return []technique{
		{"backscatter", nil, []string{"policy", "scan", "intel"}, true, aDay, trapBackscatter},
		{"ephemeral-22", nil, []string{"service"}, true, 2 * aDay, trapEphemeral22},
		{"periodic-ntp-snmp", nil, []string{"beacon", "scan"}, true, 0, trapPeriodic},
		{"sunday-backup", nil, []string{"volume", "staging", "transfer"}, true, 0, trapSundayBackup},
		{"exporter-reboot", nil, []string{"telemetry"}, true, 6 * time.Hour, trapExporterReboot},
		{"aaa-failover", nil, []string{"aaa", "firstseen"}, true, 3 * time.Hour, trapAAAFailover},
		{"new-jump-host", nil, []string{"firstseen", "policy", "offhours"}, true, 4 * aDay, trapNewJumpHost},
		{"customer-tunnels", nil, []string{"tunnel"}, true, aDay, trapCustomerTunnels},
		{"flash-crowd", nil, []string{"volume", "scan"}, true, 2 * time.Hour, trapFlashCrowd},
		{"scan-background", nil, []string{"scan", "policy"}, true, aDay, trapScanBackground},
	}
}

// Techniques are the keys of all techniques, Traps those of all traps.
func Techniques() []string { return keys(catalogue()) }

// Traps are the keys of all traps. They are planted in every campaign.
func Traps() []string { return keys(traps()) }

func keys(all []technique) []string {
	names := make([]string, len(all))
	for i, t := range all {
		names[i] = t.key
	}
	return names
}
