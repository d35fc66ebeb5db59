package service

import (
	"context"
	_ "embed"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"tapwatch/alert"
	"tapwatch/detect"
	"tapwatch/detect/device"
	"tapwatch/flow"
	"tapwatch/inventory"
)

//go:embed clients.sql
var clientsSQL string

// fresh is the hits of services that are new, and what is known of these.
type fresh struct {
	hits []device.Hit
	use  map[string]use // by the key of the hits
}

// use is who used a new service so far, and since when.
type use struct {
	clients []string // addresses
	reply   uint64   // bytes
	since   time.Time
}

// newListeners gives a hit for each session of the window with a service that is new and
// used enough.
func (d *Detector) newListeners(ctx context.Context, sessions []detect.Session, w detect.Window, h detect.History, inv *inventory.Inventory) (fresh, error) {
	f := fresh{use: map[string]use{}}
	var served []detect.Session // the server as the asset
	var asked []listener
	for i := range sessions {
		if s := &sessions[i]; d.serving(s) {
			v := device.AsServer(s)
			served = append(served, v)
			asked = append(asked, d.listener(v.Asset.Name, v.Protocol, v.AssetPort))
		}
	}
	if len(served) == 0 {
		return f, nil
	}
	hour := w.Start.UTC().Truncate(time.Hour)
	isNew, err := d.fresh(ctx, hour, h, asked)
	if err != nil || len(isNew) == 0 {
		return f, err
	}
	refused := map[listener]bool{}
	var hits []device.Hit
	var of []listener
	for i := range served {
		c := device.Conversation(served[i])
		if l := asked[i]; isNew[l] && !device.Allowed(inv, &c) {
			refused[l] = true
			hits, of = append(hits, device.Hit{Conversation: c}), append(of, l)
		}
	}
	if len(hits) == 0 {
		return f, nil
	}
	uses, err := d.uses(ctx, refused, hour, w, h)
	if err != nil {
		return f, err
	}
	for i := range hits {
		u := uses[of[i]]
		if uint64(len(u.clients)) < d.cfg.MinClients && u.reply <= d.cfg.ReplyBytes {
			continue
		}
		grade(&hits[i], of[i], u)
		f.use[hits[i].Key] = u
		f.hits = append(f.hits, hits[i])
	}
	return f, nil
}

// serving tells whether the session shows a service of a system of a protected zone, and
// it is sure which end is the server. Odd ports of devices have a rule of their own.
func (d *Detector) serving(s *detect.Session) bool {
	server, port, peer, other, tried := &s.Asset, s.AssetPort, "peer", s.PeerPort, s.PeerTried
	if !s.AssetServes {
		server, port, peer, other, tried = &s.Peer, s.PeerPort, "asset", s.AssetPort, s.AssetTried
	}
	if !s.Established || !s.Answered || s.Initiator != peer || server.Name == "" || !server.Protected() || port == 0 {
		return false
	}
	switch s.Protocol {
	case flow.ProtocolTCP:
		if d.isOdd(port) && d.cfg.DeviceRoles.Has(server) {
			return false
		}
		return port < dynamic || tried || other >= 1024
	case flow.ProtocolUDP, flow.ProtocolSCTP:
		return port < dynamic // without a SYN the ports must tell
	default:
		return false
	}
}

// uses reads who used the new services.
func (d *Detector) uses(ctx context.Context, isNew map[listener]bool, hour time.Time, w detect.Window, h detect.History) (map[listener]use, error) {
	var servers []string
	for l := range isNew {
		if !slices.Contains(servers, l.server) {
			servers = append(servers, l.server)
		}
	}
	slices.Sort(servers)
	var rows []struct {
		Server   string    `ch:"server"`
		Protocol uint8     `ch:"protocol"`
		Port     uint16    `ch:"port"`
		Clients  []string  `ch:"clients"`
		Reply    uint64    `ch:"reply"`
		Since    time.Time `ch:"since"`
	}
	err := h.Select(ctx, &rows, clientsSQL,
		detect.Param("start", hour.Add(-time.Duration(d.cfg.FreshHours)*time.Hour)), detect.Param("hour", hour),
		detect.Param("end", w.End), detect.Param("servers", servers))
	if err != nil {
		return nil, fmt.Errorf("read who uses new services: %w", err)
	}
	uses := map[listener]use{}
	for _, r := range rows {
		l := d.listener(r.Server, r.Protocol, r.Port)
		u, known := uses[l]
		if !known || r.Since.Before(u.since) {
			u.since = r.Since.UTC()
		}
		u.reply += r.Reply
		for _, c := range r.Clients {
			if a, err := netip.ParseAddr(c); err == nil {
				c = a.Unmap().String()
			}
			if !slices.Contains(u.clients, c) {
				u.clients = append(u.clients, c)
			}
		}
		slices.Sort(u.clients)
		uses[l] = u
	}
	return uses, nil
}

// grade grades the use of a new service: what only neighbours of one zone use is less.
func grade(h *device.Hit, l listener, u use) {
	h.Rule, h.Severity, h.Confidence = ruleNew, alert.High, 0.9
	h.Key = l.server + "\x00" + strconv.Itoa(int(l.protocol)) + "\x00" + strconv.Itoa(int(l.port))
	if len(u.clients) < 2 {
		h.Confidence = 0.7
	}
	if h.PeerZone == h.AssetZone {
		h.Severity = alert.Medium
	}
	h.Severity = detect.Grade(h.Severity, h.AssetZoneKind, h.AssetRole, h.Confidence)
}
