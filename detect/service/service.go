// Package service finds services where there ought to be none: a device that answers on
// a port on which intruders hide management, and a system that serves on a port on which
// it never did. See README.md.
package service

import (
	"context"
	"time"

	"tapwatch/alert"
	"tapwatch/detect"
	"tapwatch/detect/device"
	"tapwatch/inventory"
)

// Name is the detector's name in the registry.
const Name = "service"

// The rules of the detector, as alerts name them.
const (
	// ruleOdd: a device serves on a port on which intruders hide management.
	ruleOdd = "odd-management-port"
	// ruleNew: a system serves on a port on which it never did.
	ruleNew = "new-listener"
)

// Detector is the service detector. Safe for concurrent use.
type Detector struct {
	cfg       Config
	odd       []ports
	ranges    []ports
	inventory func() *inventory.Inventory
	known     known
}

// New returns the detector; inv gives the inventory in force. cfg is valid.
func New(cfg Config, inv func() *inventory.Inventory) *Detector {
	return &Detector{cfg: cfg, odd: portList(cfg.OddPorts), ranges: portList(cfg.Ranges), inventory: inv}
}

// Name returns "service".
func (*Detector) Name() string { return Name }

// Every returns 0: each pane is a window.
func (*Detector) Every() time.Duration { return 0 }

// Detect returns one finding for each odd port of a device that served somebody in the
// window, and for each service of a system that is new.
func (d *Detector) Detect(ctx context.Context, w detect.Window, h detect.History) ([]alert.Finding, error) {
	sessions, err := h.Sessions(ctx, w)
	if err != nil {
		return nil, err
	}
	inv := d.inventory()
	odd, err := d.oddPorts(ctx, sessions, w, h, inv)
	if err != nil {
		return nil, err
	}
	fresh, err := d.newListeners(ctx, sessions, w, h, inv)
	if err != nil {
		return nil, err
	}
	var findings []alert.Finding
	for _, g := range device.Gather(odd, d.cfg.MaxAlerts, client, zone) {
		findings = append(findings, oddFinding(&g, w, inv))
	}
	for _, g := range device.Gather(fresh.hits, d.cfg.MaxAlerts, zone) {
		findings = append(findings, d.newFinding(&g, fresh, w, inv))
	}
	return findings, nil
}

func client(h *device.Hit) string { return "by\x00" + h.PeerAddr.String() }
func zone(h *device.Hit) string   { return "in\x00" + h.AssetZone }
