package pairs

import (
	"context"
	_ "embed"
	"fmt"
	"net/netip"
	"strconv"
	"time"

	"tapwatch/detect"
)

//go:embed facts.sql
var factsSQL string

//go:embed hosts.sql
var hostsSQL string

//go:embed zones.sql
var zonesSQL string

// Zone is since when a protected zone has been watched, and how many of its systems
// were seen to talk.
type Zone struct {
	Zone  string    `ch:"zone"`
	Since time.Time `ch:"since"`
	Hosts uint64    `ch:"hosts"`
}

// Zones are those that were watched before end, by name.
func Zones(ctx context.Context, h detect.History, end time.Time) (map[string]Zone, error) {
	var rows []Zone
	if err := h.Select(ctx, &rows, zonesSQL, detect.Param("end", end)); err != nil {
		return nil, fmt.Errorf("read since when zones are watched: %w", err)
	}
	zones := make(map[string]Zone, len(rows))
	for _, z := range rows {
		z.Since = z.Since.UTC()
		zones[z.Zone] = z
	}
	return zones, nil
}

// Fact is what is known of a pair at the end of a window.
type Fact struct {
	// First is when the two ends were first seen to talk, over any service; Since is
	// when the asset's zone was first watched.
	First, Since time.Time
	// Hosts of Of protected systems have talked with the peer, NetworkHosts with
	// anything in its autonomous system (0 where that is not known).
	Hosts, NetworkHosts, Of int
}

// Age is since when they have talked, by the end of the window.
func (f *Fact) Age(end time.Time) time.Duration { return end.Sub(f.First) }

// Warm tells whether the zone had been watched for long enough to call a pair new.
func (f *Fact) Warm(end time.Time, warmUp time.Duration) bool { return end.Sub(f.Since) >= warmUp }

// Rare tells whether at most the share of all protected systems talk with the peer.
// Three always are few: an intruder holds more than one system.
func (f *Fact) Rare(share float64) bool {
	return float64(f.Hosts) <= max(3, share*float64(f.Of))
}

// CommonNetwork tells whether at least half of all protected systems, and five of them,
// talk with the peer's autonomous system: a content network or cloud that much of the
// carrier uses.
func (f *Fact) CommonNetwork() bool { return f.NetworkHosts >= 5 && 2*f.NetworkHosts >= f.Of }

// Facts are what is known of the pairs before end, in their order.
func Facts(ctx context.Context, h detect.History, end time.Time, rows []Row) ([]Fact, error) {
	if len(rows) == 0 {
		return nil, nil
	}
	zones, err := Zones(ctx, h, end)
	if err != nil {
		return nil, err
	}
	first, err := firstTalks(ctx, h, end, rows)
	if err != nil {
		return nil, err
	}
	hosts, err := hostsOf(ctx, h, end, rows)
	if err != nil {
		return nil, err
	}
	total := 0
	for _, z := range zones {
		total += int(z.Hosts)
	}
	facts := make([]Fact, len(rows))
	for i := range rows {
		r := &rows[i]
		f := Fact{First: end, Since: end, Hosts: hosts[r.PeerAddr.Unmap().String()], Of: total}
		if z, ok := zones[r.AssetZone]; ok {
			f.Since = z.Since
		}
		if at, ok := first[pair{r.Asset, r.PeerAddr.Unmap()}]; ok {
			f.First = at
		}
		if r.ASN != 0 && r.External() {
			f.NetworkHosts = hosts[strconv.FormatUint(uint64(r.ASN), 10)]
		}
		facts[i] = f
	}
	return facts, nil
}

type pair struct {
	asset string
	peer  netip.Addr
}

func firstTalks(ctx context.Context, h detect.History, end time.Time, rows []Row) (map[pair]time.Time, error) {
	assets, peers := make([]string, len(rows)), make([]string, len(rows))
	for i := range rows {
		assets[i], peers[i] = rows[i].Asset, rows[i].PeerAddr.Unmap().String()
	}
	var found []struct {
		Asset string     `ch:"asset"`
		Peer  netip.Addr `ch:"peer_addr"`
		First time.Time  `ch:"first"`
	}
	err := h.Select(ctx, &found, factsSQL, detect.Param("end", end), detect.Param("assets", assets), detect.Param("peers", peers))
	if err != nil {
		return nil, fmt.Errorf("read since when pairs talk: %w", err)
	}
	first := make(map[pair]time.Time, len(found))
	for _, f := range found {
		first[pair{f.Asset, f.Peer.Unmap()}] = f.First.UTC()
	}
	return first, nil
}

// hostsOf counts the protected systems that talk with each peer, by its address, and
// with each autonomous system, by its number.
func hostsOf(ctx context.Context, h detect.History, end time.Time, rows []Row) (map[string]int, error) {
	peers, asns := []string{}, []uint32{}
	for i := range rows {
		peers = append(peers, rows[i].PeerAddr.Unmap().String())
		if rows[i].ASN != 0 {
			asns = append(asns, rows[i].ASN)
		}
	}
	var found []struct {
		What  string `ch:"what"`
		Hosts uint64 `ch:"hosts"`
	}
	err := h.Select(ctx, &found, hostsSQL, detect.Param("end", end), detect.Param("peers", peers), detect.Param("asns", asns))
	if err != nil {
		return nil, fmt.Errorf("count who talks with the same peers: %w", err)
	}
	hosts := make(map[string]int, len(found))
	for _, f := range found {
		what := f.What
		if addr, err := netip.ParseAddr(what); err == nil {
			what = addr.Unmap().String()
		}
		hosts[what] = int(f.Hosts)
	}
	return hosts, nil
}
