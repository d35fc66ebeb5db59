package transfer

import (
	"net/netip"
	"slices"
	"time"

	"tapwatch/detect"
	"tapwatch/detect/device"
	"tapwatch/flow"
	"tapwatch/inventory"
)

// The ports that begin a transfer over others: TFTP's data comes from a port of the
// server's choice to the one that asked (RFC 1350 §4), FTP's goes to one that either
// side names (RFC 959 §3.2, RFC 2428).
const (
	ftpData    = 20
	ftpControl = 21
	ssh        = 22
	tftp       = 69
)

// isControl tells whether the session may begin a transfer over other ports.
func isControl(s *detect.Session) bool {
	return s.Protocol == flow.ProtocolUDP && (s.AssetPort == tftp || s.PeerPort == tftp) ||
		s.Protocol == flow.ProtocolTCP && (s.AssetPort == ftpControl || s.PeerPort == ftpControl)
}

// isData tells whether it may be the data of one.
func isData(s *detect.Session) bool {
	ephemeral := s.AssetPort >= 1024 && s.PeerPort >= 1024
	return ephemeral && (s.Protocol == flow.ProtocolUDP || s.Protocol == flow.ProtocolTCP)
}

// control is a request of one host to another, and what was carried for it.
type control struct {
	protocol uint8
	// device and other are the ends; opened says that the device asked.
	device, other netip.Addr
	opened        bool
	start, end    time.Time // of the flows, by the exporters' clocks
	session       detect.Session
	amount        amount
	inWindow      []detect.Session // its data in the window, the device as the asset
	asksNow       bool             // the request itself is in the window
}

// linked finds the requests over TFTP and FTP of the window and the horizon before it,
// and adds up what was carried for them over other ports.
func (d *Detector) linked(sessions, before []detect.Session, inv *inventory.Inventory, sent sums) []device.Hit {
	var controls []*control
	controls = d.controls(controls, before, inv, false)
	controls = d.controls(controls, sessions, inv, true)
	if len(controls) == 0 {
		return nil
	}
	for i := range before {
		d.attach(controls, &before[i], false)
	}
	for i := range sessions {
		d.attach(controls, &sessions[i], true)
	}
	var hits []device.Hit
	for _, c := range controls {
		hits = append(hits, d.judgeLinked(c, sent)...)
	}
	return hits
}

// controls adds the requests with a device that nobody allowed.
func (d *Detector) controls(all []*control, sessions []detect.Session, inv *inventory.Inventory, now bool) []*control {
	for i := range sessions {
		s := &sessions[i]
		if !isControl(s) || !d.cfg.DeviceRoles.Touches(s) {
			continue
		}
		v := asking(s)
		opened := d.cfg.DeviceRoles.Has(&v.Asset)
		if !opened {
			v = v.Turned()
		}
		if d.cfg.DeviceRoles.Has(&v.Peer) || !opened && v.Protocol == flow.ProtocolTCP || d.allowed(inv, v) {
			continue // policy speaks of transfers between devices, and of FTP to a device
		}
		n := slices.IndexFunc(all, func(c *control) bool {
			return c.protocol == v.Protocol && c.device == v.AssetAddr && c.other == v.PeerAddr && c.opened == opened
		})
		if n < 0 {
			n = len(all)
			all = append(all, &control{protocol: v.Protocol, device: v.AssetAddr, other: v.PeerAddr, opened: opened, start: v.FlowStart, end: v.FlowEnd, session: v})
		}
		c := all[n]
		if v.FlowStart.Before(c.start) {
			c.start = v.FlowStart
		}
		if v.FlowEnd.After(c.end) {
			c.end = v.FlowEnd
		}
		if now {
			c.asksNow, c.session = true, v
		}
	}
	return all
}

// asking is the session with the end that asked as its asset: the one without the
// control port.
func asking(s *detect.Session) detect.Session {
	if s.PeerPort == tftp && s.Protocol == flow.ProtocolUDP || s.PeerPort == ftpControl && s.Protocol == flow.ProtocolTCP {
		return *s
	}
	return s.Turned()
}

// clocks is how much earlier than the request its data may seem to begin: the two are
// exported by different routers, each with a clock of its own.
const clocks = 5 * time.Second

// attach adds the session to the request whose data it is.
func (d *Detector) attach(controls []*control, s *detect.Session, now bool) {
	if !isData(s) {
		return
	}
	for _, c := range controls {
		if c.protocol != s.Protocol || !between(s, c.device, c.other) {
			continue
		}
		v := *s
		if v.AssetAddr != c.device {
			v = v.Turned()
		}
		if c.protocol == flow.ProtocolUDP && !c.carries(&v, d.cfg.Link) {
			continue
		}
		c.amount.add(amountOf(&v))
		if now {
			c.inWindow = append(c.inWindow, v)
		}
		return
	}
}

func between(s *detect.Session, a, b netip.Addr) bool {
	return s.AssetAddr == a && s.PeerAddr == b || s.AssetAddr == b && s.PeerAddr == a
}

// carries tells whether the session, with the device as its asset, is data of the
// request over TFTP: it began soon enough after it. That the data goes to the port that
// asked is not asked for, since an address translator may stand between.
func (c *control) carries(v *detect.Session, link time.Duration) bool {
	return !v.FlowStart.Before(c.start.Add(-clocks)) && !v.FlowStart.After(c.end.Add(link))
}

// judgeLinked judges what was carried for the request.
func (d *Detector) judgeLinked(c *control, sent sums) []device.Hit {
	if len(c.inWindow) == 0 && !c.asksNow || c.amount.bytesOut == 0 {
		return nil
	}
	first, ok := d.judge(c.amount, &c.session)
	if !ok {
		return nil
	}
	first.Rule = ruleLinked
	if !c.opened {
		first.Rule = ruleRead
	}
	sent.add(&first, c.amount)
	var hits []device.Hit
	for _, v := range c.inWindow {
		h := first
		h.Conversation = device.Conversation(v)
		hits = append(hits, h)
	}
	if c.asksNow {
		hits = append(hits, first)
	}
	return hits
}
