package policy

import (
	"slices"
	"strconv"

	"tapwatch/alert"
	"tapwatch/detect"
	"tapwatch/detect/device"
	"tapwatch/flow"
	"tapwatch/inventory"
)

// The rules about devices, the most telling first: one conversation breaks one.
const (
	// ruleUnknownLoopback: an address of an infrastructure zone that no asset owns
	// opens or serves management.
	ruleUnknownLoopback = "unknown-loopback"
	// ruleLegacyService: a device takes part in a service that no device ought to have.
	ruleLegacyService = "legacy-service"
	// ruleDeviceToDevice: a device opens management to another.
	ruleDeviceToDevice = "device-to-device"
	// ruleManagementFromOutside: somebody outside the management zones manages a device.
	ruleManagementFromOutside = "management-from-outside"
)

// aboutDevice tells whether the session is one that the rules about devices judge: with
// a device, for management or a legacy service, and without a lawful-intercept zone,
// which has rules of its own.
func (d *Detector) aboutDevice(s *detect.Session) bool {
	return (d.manages(s.Protocol, s.Port) || d.legacy(s.Protocol, s.Port)) && s.Established &&
		d.cfg.DeviceRoles.Touches(s) && !touchesIntercept(s) && !staysOnLink(s.AssetAddr) && !staysOnLink(s.PeerAddr)
}

func (d *Detector) manages(protocol uint8, port uint16) bool {
	return protocol == flow.ProtocolTCP && slices.Contains(d.cfg.ManagementTCP, port) ||
		protocol == flow.ProtocolUDP && slices.Contains(d.cfg.ManagementUDP, port)
}

func (d *Detector) legacy(protocol uint8, port uint16) bool {
	return protocol == flow.ProtocolTCP && slices.Contains(d.cfg.LegacyTCP, port) ||
		protocol == flow.ProtocolUDP && slices.Contains(d.cfg.LegacyUDP, port)
}

// devices gives a finding for each group of conversations with devices that the rules
// about devices refuse.
func (d *Detector) devices(sessions []detect.Session, w detect.Window, inv *inventory.Inventory) []alert.Finding {
	var served []detect.Session
	for i := range sessions {
		if s := &sessions[i]; d.aboutDevice(s) {
			served = append(served, device.AsServer(s))
		}
	}
	if len(served) == 0 {
		return nil
	}
	var hits []device.Hit
	for _, c := range conversations(served) {
		if h, ok := d.judgeDevice(&c, inv); ok {
			hits = append(hits, h)
		}
	}
	var findings []alert.Finding
	for _, g := range device.Gather(hits, d.cfg.MaxPerDevice, opener, zoneOf) {
		findings = append(findings, deviceFinding(&g, w, inv))
	}
	return findings
}

// conversations adds up sessions of which each has the server as its asset.
func conversations(served []detect.Session) []detect.Conversation {
	all := detect.Converse(served, nil, false)
	for i := range all {
		if c := &all[i]; !c.AssetServes {
			*c = c.Turned()
		}
	}
	return all
}

// opener names who opened it, zoneOf where it was opened to.
func opener(h *device.Hit) string { return client(h).Name() }
func zoneOf(h *device.Hit) string { return h.AssetZone }

// client is the end that opened the conversation.
func client(h *device.Hit) alert.Party {
	if h.AssetServes {
		return h.Peer()
	}
	return h.Asset()
}

// judgeDevice tells which rule about devices the conversation breaks; its asset is the
// server. ok is false if it breaks none.
func (d *Detector) judgeDevice(c *detect.Conversation, inv *inventory.Inventory) (h device.Hit, ok bool) {
	server := detect.End{Zone: c.AssetZone, Kind: c.AssetZoneKind, Name: c.AssetName, Role: c.AssetRole}
	asking := detect.End{Zone: c.PeerZone, Kind: c.PeerZoneKind, Name: c.PeerName, Role: c.PeerRole}
	serves, asks := d.cfg.DeviceRoles.Has(&server), d.cfg.DeviceRoles.Has(&asking)
	if c.AssetName != "" && c.AssetName == c.PeerName || c.BytesOut == 0 && !c.Answered && d.wantsAnswer(c) || device.Allowed(inv, c) {
		return device.Hit{}, false
	}
	h = device.Hit{Conversation: *c, Confidence: confidence(c)}
	inside := asking.Kind == flow.ZoneManagement
	switch {
	case serves && unknownLoopback(inv, &server) || asks && unknownLoopback(inv, &asking):
		h.Rule, h.Severity, h.Key = ruleUnknownLoopback, alert.High, c.PeerAddr.String()
		if serves && unknownLoopback(inv, &server) {
			h.Key = c.AssetAddr.String()
			if inside {
				h.Severity = alert.Medium
			}
		} else if !serves {
			h.Conversation = c.Turned() // the address is what to talk about
		}
	case d.legacy(c.Protocol, c.Port):
		h.Rule, h.Severity, h.Key = ruleLegacyService, alert.High, d.key(c)
		if !serves {
			h.Conversation, h.Key = c.Turned(), c.Peer().Name()+"\x00out"
		} else if inside {
			h.Severity = alert.Medium
		}
	case serves && asks:
		h.Rule, h.Severity, h.Key = ruleDeviceToDevice, alert.High, c.Peer().Name()
	case serves && !inside:
		h.Rule, h.Severity, h.Key = ruleManagementFromOutside, alert.High, d.key(c)
		if device.Outside(&asking) {
			h.Severity = alert.Critical
		}
	default:
		return device.Hit{}, false
	}
	h.Severity = detect.Grade(h.Severity, h.AssetZoneKind, h.AssetRole, h.Confidence)
	return h, true
}

// wantsAnswer tells whether the protocol proves nothing before the server has sent
// something: one of our own systems that probes over UDP counts as established. A TFTP
// server answers from another port, so there is nothing to wait for.
func (d *Detector) wantsAnswer(c *detect.Conversation) bool {
	return c.Protocol == flow.ProtocolUDP && c.Port != tftp
}

const tftp = 69

// confidence is lower where only one direction was exported or nobody knows who opened.
func confidence(c *detect.Conversation) float64 {
	switch {
	case c.Answered && c.Initiator != "":
		return 1
	case c.Answered || c.Initiator != "":
		return 0.8
	default:
		return 0.6
	}
}

// unknownLoopback tells whether the end is an address of an infrastructure zone that no
// asset owns, though the zone has assets: a zone without any has nobody to be missed.
func unknownLoopback(inv *inventory.Inventory, e *detect.End) bool {
	return e.Kind == flow.ZoneInfrastructure && e.Name == "" &&
		slices.ContainsFunc(inv.Zones, func(z inventory.Zone) bool { return z.Name == e.Zone && len(z.Assets) > 0 })
}

// key is what tells alerts about a service of a device apart. What is open to the world
// is one alert however many find it; inside it is one for each who opens.
func (d *Detector) key(c *detect.Conversation) string {
	if c.PeerZone == "" {
		return "to\x00" + c.Asset().Name() + "\x00" + strconv.Itoa(int(c.Port))
	}
	return "from\x00" + c.Peer().Name()
}
