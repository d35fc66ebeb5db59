package beacon

import (
	"context"
	_ "embed"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"tapwatch/detect"
	"tapwatch/detect/pairs"
)

//go:embed starts.sql
var startsSQL string

// call is a session that began, with the bytes of both directions.
type call struct {
	at    time.Time
	bytes uint64
}

// readCalls reads the latest calls of each candidate, about as many as are looked at.
func readCalls(ctx context.Context, h detect.History, l *look, all []*candidate) error {
	var assets, peers []string
	var protocols, ports []uint16 // a []uint8 would go as text
	var sinces []uint32
	byKey := make(map[pairs.Key]*candidate, len(all))
	for _, c := range all {
		k := c.Key()
		byKey[k] = c
		assets, peers = append(assets, k.Asset.String()), append(peers, k.Peer.String())
		protocols, ports = append(protocols, uint16(k.Protocol)), append(ports, k.Port)
		sinces = append(sinces, uint32(l.enough(c.Calls).Unix()))
	}
	var rows []struct {
		Asset    netip.Addr `ch:"asset_addr"`
		Peer     netip.Addr `ch:"peer_addr"`
		Protocol uint8      `ch:"protocol"`
		Port     uint16     `ch:"port"`
		Starts   []int64    `ch:"starts"`
		Sizes    []uint64   `ch:"sizes"`
	}
	err := h.Select(ctx, &rows, startsSQL, detect.Param("since", l.since), detect.Param("end", l.w.End), detect.Param("assets", assets),
		detect.Param("peers", peers), detect.Param("protocols", protocols), detect.Param("ports", ports), detect.Param("sinces", sinces))
	if err != nil {
		return fmt.Errorf("read when %d pairs called: %w", len(all), err)
	}
	for _, r := range rows {
		c := byKey[pairs.Key{Asset: r.Asset.Unmap(), Peer: r.Peer.Unmap(), Protocol: r.Protocol, Port: r.Port}]
		for i, at := range r.Starts {
			// A record of an hour may tell of a session that began long before it.
			if start := time.UnixMilli(at).UTC(); !start.Before(l.since) && start.Before(l.w.End) {
				c.calls = append(c.calls, call{start, r.Sizes[i]})
			}
		}
		slices.SortFunc(c.calls, func(a, b call) int { return a.at.Compare(b.at) })
	}
	return nil
}

// enough is since when so many calls of the whole span, if they come evenly, are as many
// as are looked at; at least the last hour.
func (l *look) enough(calls uint64) time.Time {
	span := l.w.End.Sub(l.since)
	if calls > longest {
		span = max(time.Hour, (span * longest / time.Duration(calls)).Truncate(time.Hour))
	}
	return l.w.End.Add(-span)
}

// times are when the calls from a moment on began.
func times(calls []call, from time.Time) []time.Time {
	var all []time.Time
	for _, c := range calls {
		if !c.at.Before(from) {
			all = append(all, c.at)
		}
	}
	return all
}
