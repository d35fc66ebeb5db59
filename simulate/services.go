package simulate

import (
	"net/netip"
	"time"
)

// part is how long the parts are in which conversations without end are told.
const part = time.Minute

// Classes of service (RFC 4594): signalling and network control.
const (
	tosSignalling = 40 << 2 // CS5
	tosControl    = 48 << 2 // CS6
)

func (n *Network) services() []service {
	var all []service
	all = append(all, n.interceptServices()...)
	all = append(all, n.managementServices()...)
	return append(all, n.coreServices()...)
}

// interceptServices are what the lawful-intercept site does all day: tasking (X1),
// delivery from the points of interception (X2, X3), handover to the agencies
// (HI2, HI3), and its own time, names and administration.
func (n *Network) interceptServices() []service {
	admf, poi, mdf2, mdf3 := n.role("admf"), n.role("poi"), n.role("mdf2"), n.role("mdf3")
	mediation, site := n.role("mediation"), n.zone("li-east")
	agencies := addrs("192.0.2.66", "192.0.2.70")
	return []service{
		{name: "x1-tasking", clients: admf, servers: join(poi, mdf2, mdf3, mediation), protocol: protocolTCP, port: 8443,
			every: 5 * time.Minute, lasts: 2 * time.Second, sent: size{2600, 420}, received: size{1900, 380}},
		{name: "x1-report", clients: poi, servers: admf, protocol: protocolTCP, port: 8443,
			every: 15 * time.Minute, lasts: time.Second, sent: size{1800, 400}, received: size{900, 250}},
		{name: "x2", clients: poi, servers: mdf2, protocol: protocolTCP, port: 8890,
			every: part, sent: size{14e3, 480}, received: size{2200, 60}, swings: true},
		{name: "x3", clients: poi, servers: mdf3, protocol: protocolTCP, port: 8891,
			every: part, sent: size{2.4e6, 1180}, received: size{60e3, 58}, swings: true},
		{name: "mediation", clients: mediation, servers: join(mdf2, mdf3), protocol: protocolTCP, port: 9009,
			every: part, sent: size{80e3, 700}, received: size{9e3, 90}, swings: true},
		{name: "hi2", clients: n.handover("mdf2"), servers: agencies, protocol: protocolTCP, port: 12001,
			every: part, sent: size{30e3, 620}, received: size{4e3, 70}, swings: true},
		{name: "hi3", clients: n.handover("mdf3"), servers: agencies, protocol: protocolTCP, port: 443,
			every: part, sent: size{4.5e6, 1240}, received: size{110e3, 60}, swings: true},
		{name: "li-time", clients: site, servers: n.role("li-ntp"), protocol: protocolUDP, port: 123, clientPort: 123,
			every: 64 * time.Second, lasts: 20 * time.Millisecond, sent: size{76, 76}, received: size{76, 76}},
		{name: "li-names", clients: site, servers: n.role("li-dns"), protocol: protocolUDP, port: 53,
			every: 97 * time.Second, lasts: 15 * time.Millisecond, sent: size{70, 70}, received: size{130, 130}},
		{name: "li-administration", clients: n.role("li-admin"), servers: join(admf, mdf2, mdf3, mediation), protocol: protocolTCP, port: 443,
			every: 20 * time.Minute, lasts: 40 * time.Second, sent: size{22e3, 300}, received: size{190e3, 900}, hours: officeHours},
		{name: "li-shell", clients: n.role("li-admin"), servers: join(mdf2, mdf3), protocol: protocolTCP, port: 22,
			every: 2 * time.Hour, lasts: 90 * time.Second, sent: size{14e3, 90}, received: size{32e3, 150}, hours: officeHours},
	}
}

// managementServices are polling, logging, time, AAA and people at work on routers
// and hosts.
func (n *Network) managementServices() []service {
	routers, core, nms := n.role("router"), n.kind("core"), n.role("nms")
	return []service{
		{name: "snmp", clients: nms, servers: join(routers, core), protocol: protocolUDP, port: 161,
			every: time.Minute, lasts: 3 * time.Second, sent: size{6e3, 110}, received: size{21e3, 380}},
		{name: "gnmi", clients: nms, servers: routers, protocol: protocolTCP, port: 57400,
			every: part, sent: size{16e3, 60}, received: size{310e3, 1100}},
		{name: "netconf", clients: nms, servers: routers, protocol: protocolTCP, port: 830,
			every: 30 * time.Minute, lasts: 8 * time.Second, sent: size{9e3, 240}, received: size{140e3, 1000}},
		{name: "syslog", clients: join(routers, core), servers: n.role("syslog"), protocol: protocolUDP, port: 514,
			every: 20 * time.Second, lasts: time.Second, sent: size{1100, 220}},
		{name: "ntp", clients: join(routers, core), servers: n.role("ntp"), protocol: protocolUDP, port: 123, clientPort: 123,
			every: 64 * time.Second, lasts: 20 * time.Millisecond, sent: size{76, 76}, received: size{76, 76}},
		{name: "tacacs", clients: routers, servers: n.role("aaa")[:1], protocol: protocolTCP, port: 49,
			every: 10 * time.Minute, lasts: time.Second, sent: size{620, 90}, received: size{480, 80}},
		{name: "device-shell", clients: n.role("jump"), servers: join(routers, core), protocol: protocolTCP, port: 22,
			every: 90 * time.Minute, lasts: 80 * time.Second, sent: size{12e3, 90}, received: size{41e3, 180}, hours: officeHours},
		{name: "config-archive", clients: n.role("archive"), servers: routers, protocol: protocolTCP, port: 22,
			every: time.Hour, lasts: 6 * time.Second, sent: size{9e3, 80}, received: size{420e3, 1300}, hours: backupHour},
		{name: "ibgp", clients: routers, servers: n.loopbacks("core1.east", "core1.west", "core1.north"), protocol: protocolTCP, port: 179,
			every: part, sent: size{900, 90}, received: size{2400, 160}, tos: tosControl},
	}
}

// coreServices are the signalling and the user plane between radio access and core.
func (n *Network) coreServices() []service {
	enb, gnb := n.role("enb"), n.role("gnb")
	mme, amf, smf, upf := n.role("mme"), n.role("amf"), n.role("smf"), n.role("upf")
	return []service{
		{name: "s1ap", clients: enb, servers: mme, protocol: protocolSCTP, port: 36412,
			every: part, sent: size{160e3, 210}, received: size{130e3, 190}, swings: true, tos: tosSignalling},
		{name: "ngap", clients: gnb, servers: amf, protocol: protocolSCTP, port: 38412,
			every: part, sent: size{220e3, 230}, received: size{180e3, 200}, swings: true, tos: tosSignalling},
		{name: "s6a", clients: mme, servers: n.role("hss"), protocol: protocolSCTP, port: 3868,
			every: part, sent: size{90e3, 420}, received: size{140e3, 640}, swings: true, tos: tosSignalling},
		{name: "cx", clients: n.role("cscf"), servers: n.role("hss"), protocol: protocolSCTP, port: 3868,
			every: part, sent: size{30e3, 400}, received: size{50e3, 600}, swings: true, tos: tosSignalling},
		{name: "roaming", clients: addrs("192.0.2.130"), servers: n.role("dra"), protocol: protocolSCTP, port: 3868,
			every: part, sent: size{60e3, 420}, received: size{70e3, 520}, swings: true, tos: tosSignalling},
		{name: "gtp-c", clients: mme, servers: smf, protocol: protocolUDP, port: 2123, clientPort: 2123,
			every: part, sent: size{110e3, 220}, received: size{90e3, 190}, swings: true, tos: tosSignalling},
		{name: "pfcp", clients: smf, servers: upf, protocol: protocolUDP, port: 8805, clientPort: 8805,
			every: part, sent: size{85e3, 260}, received: size{60e3, 120}, swings: true, tos: tosSignalling},
		{name: "gtp-u", clients: join(enb, gnb), servers: upf, protocol: protocolUDP, port: 2152, clientPort: 2152,
			every: part, sent: size{60e6, 340}, received: size{640e6, 1280}, swings: true},
		{name: "sbi", clients: join(amf, smf), servers: n.role("udm"), protocol: protocolTCP, port: 8080,
			every: 6 * time.Second, lasts: 300 * time.Millisecond, sent: size{2100, 520}, received: size{3900, 780}},
	}
}

func join(lists ...[]netip.Addr) []netip.Addr {
	var all []netip.Addr
	for _, l := range lists {
		all = append(all, l...)
	}
	return all
}

func addrs(texts ...string) []netip.Addr {
	all := make([]netip.Addr, len(texts))
	for i, t := range texts {
		all[i] = netip.MustParseAddr(t)
	}
	return all
}
