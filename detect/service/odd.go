package service

import (
	"context"
	_ "embed"
	"fmt"
	"net/netip"
	"slices"
	"strconv"

	"tapwatch/alert"
	"tapwatch/detect"
	"tapwatch/detect/device"
	"tapwatch/flow"
	"tapwatch/inventory"
)

//go:embed opened.sql
var openedSQL string

// isOdd tells whether no device ought to answer on the port.
func (d *Detector) isOdd(port uint16) bool {
	return port >= d.cfg.OddFrom && slices.Contains(d.cfg.OddEndings, port%100) ||
		slices.ContainsFunc(d.odd, func(p ports) bool { return p.contain(port) })
}

// oddPorts gives a hit for each session of the window in which a device served on an odd
// port. Clients take one port in a hundred of these for their own, so it must be sure
// which end is the server.
func (d *Detector) oddPorts(ctx context.Context, sessions []detect.Session, w detect.Window, h detect.History, inv *inventory.Inventory) ([]device.Hit, error) {
	var served []detect.Session // with the device as the asset
	for i := range sessions {
		s := &sessions[i]
		if s.Protocol != flow.ProtocolTCP || !s.Established || !d.isOdd(s.AssetPort) && !d.isOdd(s.PeerPort) {
			continue
		}
		if d.mayServe(s) {
			served = append(served, *s)
		}
		if t := s.Turned(); d.mayServe(&t) {
			served = append(served, t)
		}
	}
	served = slices.DeleteFunc(served, func(v detect.Session) bool { return allowedEitherWay(inv, &v) })
	if len(served) == 0 {
		return nil, nil
	}
	before, err := h.Sessions(ctx, detect.Window{Start: w.Start.Add(-detect.Horizon), End: w.Start})
	if err != nil {
		return nil, err
	}
	var hits []device.Hit
	for i := range served {
		v := &served[i]
		sure, err := d.serves(ctx, v, [][]detect.Session{sessions, before}, w, h, inv)
		if err != nil {
			return nil, err
		}
		if hit, ok := oddHit(v, sure); ok {
			hits = append(hits, hit)
		}
	}
	return hits, nil
}

// mayServe tells whether the asset of the session is a device that may have served on an
// odd port: it answered, and nothing shows that it opened the session.
func (d *Detector) mayServe(v *detect.Session) bool {
	return d.isOdd(v.AssetPort) && d.cfg.DeviceRoles.Has(&v.Asset) && !v.AssetTried && v.Initiator != "asset" &&
		(v.Answered || v.AssetSpoke || v.PacketsOut > 0)
}

// allowedEitherWay tells whether a rule allows the session, whoever of the two is the
// server: then its odd port may well be the client's.
func allowedEitherWay(inv *inventory.Inventory, v *detect.Session) bool {
	asked := inventory.Conversation{Client: v.PeerAddr, Server: v.AssetAddr, Protocol: v.Protocol, Port: v.AssetPort, At: v.StartedAt, InitiatorKnown: true}
	if _, ok := inv.Allowed(asked); ok {
		return true
	}
	asked.Client, asked.Server, asked.Port = v.AssetAddr, v.PeerAddr, v.PeerPort
	_, ok := inv.Allowed(asked)
	return ok
}

// certainty is how sure it is that the asset of a session is its server.
type certainty int8

const (
	isClient certainty = iota // it is the client
	doubtful                  // nothing shows it, but the ports look so
	likely                    // the ports are known as a service
	sure
)

// serves tells how sure it is that the asset, on an odd port, is the server.
func (d *Detector) serves(ctx context.Context, v *detect.Session, around [][]detect.Session, w detect.Window, h detect.History, inv *inventory.Inventory) (certainty, error) {
	switch {
	case v.PeerTried:
		return sure, nil // the peer sent a SYN without ACK
	case v.Initiator == "peer" && !byPorts(inv, v.AssetPort):
		return sure, nil // a router saw its SYN first
	case severalFrom(v, around):
		return sure, nil
	}
	first, err := opened(ctx, v, w, h)
	switch {
	case err != nil:
		return isClient, err
	case first > 0:
		return sure, nil
	case first < 0:
		return isClient, nil
	case v.Initiator == "peer":
		return likely, nil
	// Sampled, without a SYN: a server below all ranges of dynamic ports that clients
	// commonly use, and a client in one.
	case v.AssetPort < dynamic && v.PeerPort >= dynamic:
		return doubtful, nil
	default:
		return isClient, nil
	}
}

// dynamic is where the ports begin that clients take: 32768 on Linux, 49152 by RFC 6335.
const dynamic = 32768

// byPorts tells whether the port may have been taken for a service because of its number
// alone; see enrich/orient.
func byPorts(inv *inventory.Inventory, port uint16) bool {
	if port == 57722 || port == 36422 || port == 38422 {
		return true
	}
	for i := range inv.Allow {
		if slices.ContainsFunc(inv.Allow[i].Ports, func(r inventory.PortRange) bool { return r.First <= port && port <= r.Last }) {
			return true
		}
	}
	return false
}

// severalFrom tells whether the same peer has sessions from several of its ports with
// the asset's: a client does not open several sessions to one host from one port.
func severalFrom(v *detect.Session, around [][]detect.Session) bool {
	for _, sessions := range around {
		for i := range sessions {
			s := &sessions[i]
			if s.Protocol != v.Protocol || !s.Established {
				continue
			}
			if s.AssetAddr == v.AssetAddr && s.PeerAddr == v.PeerAddr && s.AssetPort == v.AssetPort && s.PeerPort != v.PeerPort ||
				s.PeerAddr == v.AssetAddr && s.AssetAddr == v.PeerAddr && s.PeerPort == v.AssetPort && s.AssetPort != v.PeerPort {
				return true
			}
		}
	}
	return false
}

// opened asks the records whose SYN a router saw first: above 0 the peer's, below 0 the
// asset's, 0 nobody knows.
func opened(ctx context.Context, v *detect.Session, w detect.Window, h detect.History) (int, error) {
	var rows []struct {
		First int8 `ch:"first"`
	}
	err := h.Select(ctx, &rows, openedSQL,
		detect.Param("since", w.Start.Add(-detect.Horizon)), detect.Param("end", w.End),
		detect.Param("assets", []string{v.Asset.Name, v.Peer.Name, text(v.AssetAddr), text(v.PeerAddr)}),
		detect.Param("server", v.AssetAddr.String()), detect.Param("server_port", v.AssetPort),
		detect.Param("client", v.PeerAddr.String()), detect.Param("client_port", v.PeerPort))
	if err != nil {
		return 0, fmt.Errorf("look who opened a session: %w", err)
	}
	sum := 0
	for _, r := range rows {
		sum += int(r.First)
	}
	return sum, nil
}

// text is the address as column asset of watched_flows has it where no asset owns it.
func text(a netip.Addr) string { return a.String() }

// oddHit grades a session in which the asset served on an odd port.
func oddHit(v *detect.Session, how certainty) (h device.Hit, ok bool) {
	if how == isClient {
		return h, false
	}
	v.Port, v.AssetServes = v.AssetPort, true
	h = device.Hit{Conversation: device.Conversation(*v), Rule: ruleOdd, Severity: alert.Critical, Confidence: 1}
	switch how {
	case doubtful:
		h.Severity, h.Confidence = alert.High, 0.4
	case likely:
		h.Severity, h.Confidence = alert.High, 0.7
	default:
		if v.Peer.Kind == flow.ZoneManagement {
			h.Severity = alert.High // our own people, on a port that nobody listed
		}
	}
	h.Severity = detect.Grade(h.Severity, h.AssetZoneKind, h.AssetRole, h.Confidence)
	h.Key = h.Asset().Name() + "\x00" + strconv.Itoa(int(v.Port))
	return h, true
}
