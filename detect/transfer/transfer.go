// Package transfer finds files that leave a network device for a place that is no
// archive: configurations, captures and certificates copied out by SSH, HTTPS, FTP or
// TFTP. See README.md.
package transfer

import (
	"context"
	"slices"
	"time"

	"tapwatch/alert"
	"tapwatch/detect"
	"tapwatch/detect/device"
	"tapwatch/flow"
	"tapwatch/inventory"
)

// Name is the detector's name in the registry.
const Name = "transfer"

// The rules of the detector, as alerts name them.
const (
	// ruleUpload: a device sends over a service that it opened.
	ruleUpload = "device-upload"
	// ruleLinked: it sends over ports that FTP or TFTP agreed on.
	ruleLinked = "linked-upload"
	// ruleRead: somebody reads files out of a device that serves TFTP.
	ruleRead = "read-from-device"
)

// Detector is the transfer detector. Safe for concurrent use.
type Detector struct {
	cfg       Config
	inventory func() *inventory.Inventory
}

// New returns the detector; inv gives the inventory in force. cfg is valid.
func New(cfg Config, inv func() *inventory.Inventory) *Detector {
	return &Detector{cfg: cfg, inventory: inv}
}

// Name returns "transfer".
func (*Detector) Name() string { return Name }

// Every returns 0: each pane is a window.
func (*Detector) Every() time.Duration { return 0 }

// Detect returns one finding for each device and other end between which the window
// carried a part of a transfer that nobody allowed and that is large enough by now.
func (d *Detector) Detect(ctx context.Context, w detect.Window, h detect.History) ([]alert.Finding, error) {
	sessions, err := h.Sessions(ctx, w)
	if err != nil {
		return nil, err
	}
	inv := d.inventory()
	var direct []detect.Session // with the device as the asset
	linked := false
	for i := range sessions {
		s := &sessions[i]
		if !d.cfg.DeviceRoles.Touches(s) {
			continue
		}
		if v, ok := d.upload(s); ok && !d.allowed(inv, v) {
			direct = append(direct, v)
		}
		linked = linked || isControl(s) || isData(s)
	}
	if len(direct) == 0 && !linked {
		return nil, nil
	}
	before, err := h.Sessions(ctx, detect.Window{Start: w.Start.Add(-detect.Horizon), End: w.Start})
	if err != nil {
		return nil, err
	}
	sent := sums{}
	hits := d.direct(direct, before, sent)
	if linked {
		hits = append(hits, d.linked(sessions, before, inv, sent)...)
	}
	var findings []alert.Finding
	for _, g := range device.Gather(hits, d.cfg.MaxAlerts, deviceOf, otherEnd) {
		findings = append(findings, d.finding(&g, sent, w, inv))
	}
	return findings, nil
}

func deviceOf(h *device.Hit) string { return "of\x00" + h.Asset().Name() }
func otherEnd(h *device.Hit) string { return "to\x00" + h.PeerAddr.String() }

// upload gives the session with the device as its asset, if a device opened it over one
// of the ports for files. What goes from device to device is the matter of policy.
func (d *Detector) upload(s *detect.Session) (v detect.Session, ok bool) {
	if s.Protocol != flow.ProtocolTCP || !s.Established {
		return v, false
	}
	v = device.AsClient(s)
	if v.AssetPort == ftpData { // an FTP server opens the way back for data by itself
		v = v.Turned()
	}
	ok = d.cfg.DeviceRoles.Has(&v.Asset) && !d.cfg.DeviceRoles.Has(&v.Peer) &&
		(slices.Contains(d.cfg.TCP, v.Port) || v.PeerPort == ftpData && slices.Contains(d.cfg.TCP, ftpData)) && v.BytesOut > 0
	return v, ok
}

// allowed tells whether the device, the session's asset, may send files to the peer.
func (d *Detector) allowed(inv *inventory.Inventory, v detect.Session) bool {
	c := device.Conversation(v)
	return device.Listed(inv, d.cfg.Services, v.PeerAddr) || device.Allowed(inv, &c)
}

// direct judges sessions of the window, each with the device as its asset, with what
// the same five-tuple sent before.
func (d *Detector) direct(sessions, before []detect.Session, sent sums) []device.Hit {
	var hits []device.Hit
	for i := range sessions {
		v := &sessions[i]
		a := amountOf(v)
		for j := range before {
			if b := &before[j]; sameTuple(b, v) {
				a.add(amountOf(facing(b, v)))
			}
		}
		if v.PeerPort == ftpData {
			v.Port, v.AssetServes = ftpData, false // whoever opened it
		}
		if h, ok := d.judge(a, v); ok {
			h.Rule = ruleUpload
			sent.add(&h, a)
			hits = append(hits, h)
		}
	}
	return hits
}

// judge tells whether the amount is a transfer; v has the device as its asset.
func (d *Detector) judge(a amount, v *detect.Session) (h device.Hit, ok bool) {
	if a.bytesOut < d.cfg.Bytes || !a.carriesData(v.AssetAddr) {
		return h, false
	}
	h = device.Hit{Conversation: device.Conversation(*v), Severity: alert.High, Confidence: 1}
	h.Key = h.Asset().Name() + "\x00" + h.PeerAddr.String()
	if device.Outside(&v.Peer) {
		h.Severity = alert.Critical
	}
	if a.atLeast() < float64(d.cfg.Bytes) {
		h.Confidence = 0.4 // that it was so much
	}
	// A session that fetches more than it sends may be a licence or an update.
	if web(v.Port) && a.bytesOut <= a.bytesIn {
		h.Confidence, h.Severity = min(h.Confidence, 0.5), alert.Medium
	}
	h.Severity = detect.Grade(h.Severity, h.AssetZoneKind, h.AssetRole, h.Confidence)
	return h, true
}

func web(port uint16) bool { return port == 80 || port == 443 || port == 8443 }
