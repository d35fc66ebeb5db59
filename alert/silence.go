package alert

import (
	"net/netip"
	"time"
)

// Silence keeps some alerts out of sight for a time. They are found, stored and counted
// all the same. An alert is under it if every member that is set fits.
type Silence struct {
	ID string `json:"id"`
	// Detector and Rule are those of the alert; Rule only together with Detector.
	Detector string `json:"detector"`
	Rule     string `json:"rule"`
	// Asset is the name of the protected end, or its address.
	Asset string `json:"asset"`
	// Peer holds the address of the other end; the zero Prefix is not set.
	Peer netip.Prefix `json:"peer"`
	// Port is the service port; 0 is not set.
	Port uint16 `json:"port"`

	Reason string `json:"reason"`
	Owner  string `json:"owner"`
	// It is in force from CreatedAt until ExpiresAt, or until somebody ended it at
	// EndedAt, by the clock. EndedAt is zero where nobody did.
	CreatedAt time.Time `json:"created_at"`
	ExpiresAt time.Time `json:"expires_at"`
	EndedAt   time.Time `json:"ended_at,omitzero"`
}

// Bounds of silences.
const (
	// SilenceDays is how many days a silence may last.
	SilenceDays = 90
	// The widest prefixes that a silence may name.
	widestIPv4, widestIPv6 = 8, 16
)

// mappedIPv4 holds how IPv4 addresses are stored, and the address that stands for none.
var mappedIPv4 = netip.MustParsePrefix("::/16")

const silenceEnds = "Give a time within 90 days, as in 2026-03-01T06:00:00Z: a silence that nobody has to renew hides an intruder for good."

// Validate gives a *FieldError for what may not be. A silence says who wants it, why and
// until when, and what it is about: an asset, a peer, or one detector's rule or port.
// A detector or a port alone would hide too much.
func (s *Silence) Validate() error {
	switch {
	case s.Rule != "" && s.Detector == "":
		return &FieldError{"rule", "A rule is one of a detector.", "Name the detector too."}
	case !s.Narrow():
		return &FieldError{"asset", "It would hide too much.", "Name an asset, a peer, or a detector together with its rule or a port."}
	case s.Peer.IsValid() && s.Peer.Bits() < widest(s.Peer):
		return &FieldError{"peer", "The prefix is too wide.", "Use /8 or longer for IPv4, /16 or longer for IPv6."}
	case s.Peer.IsValid() && s.Peer != s.Peer.Masked():
		return &FieldError{"peer", "It has bits set after its length.", "Write " + s.Peer.Masked().String() + "."}
	case s.Peer.Addr().Is6() && s.Peer.Overlaps(mappedIPv4):
		return &FieldError{"peer", "These are no addresses of IPv6 hosts.", "Write an IPv4 prefix as such."}
	}
	return within(map[string]string{"detector": s.Detector, "rule": s.Rule, "asset": s.Asset}, maxName,
		first(sayWhy(s.Reason, s.Owner), ends(s.CreatedAt, s.ExpiresAt, SilenceDays, silenceEnds)))
}

// Narrow tells whether the silence says enough to hide only what is meant.
func (s *Silence) Narrow() bool {
	return s.Asset != "" || s.Peer.IsValid() || s.Detector != "" && (s.Rule != "" || s.Port != 0)
}

func widest(p netip.Prefix) int {
	if p.Addr().Is4() {
		return widestIPv4
	}
	return widestIPv6
}

// InForce tells whether the silence holds at that moment of the clock.
func (s *Silence) InForce(at time.Time) bool {
	return !at.Before(s.CreatedAt) && at.Before(s.ExpiresAt) && (s.EndedAt.IsZero() || at.Before(s.EndedAt))
}

// Covers tells whether the alert is under the silence, as long as that is in force.
func (s *Silence) Covers(a *Alert) bool {
	return s.Narrow() && (s.Detector == "" || s.Detector == a.Detector) &&
		(s.Rule == "" || s.Rule == a.Rule) &&
		(s.Asset == "" || s.coversAsset(a.Asset)) &&
		(!s.Peer.IsValid() || s.Peer.Contains(a.Peer.Addr.Unmap())) &&
		(s.Port == 0 || s.Port == a.Port)
}

func (s *Silence) coversAsset(p Party) bool {
	if addr, ok := s.AssetAddr(); ok {
		return p.Addr.Unmap() == addr
	}
	return p.Asset == s.Asset
}

// AssetAddr is the address that Asset is, if it is one.
func (s *Silence) AssetAddr() (netip.Addr, bool) {
	addr, err := netip.ParseAddr(s.Asset)
	return addr.Unmap().WithZone(""), err == nil
}

// Silencing gives the identities of the silences that the alert is under.
func Silencing(silences []Silence, a *Alert) []string {
	ids := []string{}
	for i := range silences {
		if silences[i].Covers(a) {
			ids = append(ids, silences[i].ID)
		}
	}
	return ids
}

func first(all ...error) error {
	for _, err := range all {
		if err != nil {
			return err
		}
	}
	return nil
}
