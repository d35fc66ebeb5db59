package ledger

import (
	"context"
	_ "embed"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"tapwatch/alert"
	"tapwatch/detect"
	"tapwatch/inventory"
)

//go:embed evidence.sql
var evidenceSQL string

//go:embed totals.sql
var totalsSQL string

// Evidence is the traffic between some addresses of one system and a network, in whole
// panes of stream time. The zero Network is all addresses.
type Evidence struct {
	Window  detect.Window
	Senders []netip.Addr
	Network netip.Prefix
	// About says for the query's comment what it shows.
	About string
}

type amounts struct {
	Exporter     netip.Addr `ch:"exporter"`
	Sampling     uint32     `ch:"sampling"`
	First        time.Time  `ch:"first_seen"`
	Last         time.Time  `ch:"last_seen"`
	Flows        uint64     `ch:"flows"`
	BytesToAsset uint64     `ch:"bytes_to_asset"`
	BytesToPeer  uint64     `ch:"bytes_to_peer"`
	Packets      uint64     `ch:"packets"`
}

// Fill puts into the finding what the traffic adds up to, which routers saw it and how
// well, when, and the query that shows its records.
func (e *Evidence) Fill(ctx context.Context, h detect.History, f *alert.Finding, inv *inventory.Inventory) error {
	var total, seen []amounts
	if err := h.Select(ctx, &total, totalsSQL, e.params()...); err != nil {
		return fmt.Errorf("add up the evidence: %w", err)
	}
	if err := h.Select(ctx, &seen, evidenceSQL, e.params()...); err != nil {
		return fmt.Errorf("read which routers saw it: %w", err)
	}
	if len(seen) == 0 {
		return fmt.Errorf("no session of %s from %s to %s is stored, though pair_hours has some: run tapwatch baseline rebuild",
			e.About, e.Window.Start.Format(time.RFC3339), e.Window.End.Format(time.RFC3339))
	}
	t := total[0]
	f.FirstSeen, f.LastSeen = t.First.UTC(), t.Last.UTC()
	f.Flows, f.BytesToAsset, f.BytesToPeer, f.Packets = t.Flows, t.BytesToAsset, t.BytesToPeer, t.Packets
	f.Exporters, f.Quality, f.Sightings = []string{}, []string{}, nil
	sampling := uint32(0)
	for _, s := range seen {
		name := detect.ExporterText(s.Exporter.Unmap(), inv.ExporterName)
		f.Exporters = append(f.Exporters, name)
		f.Sightings = append(f.Sightings, alert.Sighting{Exporter: name, Sampling: s.Sampling,
			Flows: s.Flows, BytesToAsset: s.BytesToAsset, BytesToPeer: s.BytesToPeer, Packets: s.Packets})
		sampling = max(sampling, s.Sampling)
		if s.Sampling == 0 {
			f.Quality = append(f.Quality, name+" has not said its sampling interval: its amounts are as exported and may be too low")
		}
	}
	if sampling > 1 {
		f.Quality = append(f.Quality, fmt.Sprintf("packets are sampled, 1 of %d: amounts are estimates", sampling))
	}
	slices.Sort(f.Exporters)
	slices.Sort(f.Quality)
	f.SQL = e.SQL()
	return nil
}

// SQL is the query that shows the records.
func (e *Evidence) SQL() string {
	senders := make([]string, len(e.Senders))
	for i, a := range e.Senders {
		senders[i] = "toIPv6('" + a.String() + "')"
	}
	list := "(" + strings.Join(senders, ", ") + ")"
	between := func(column string) string {
		if !e.Network.IsValid() {
			return ""
		}
		return fmt.Sprintf(" AND %s >= toIPv6('%s') AND %s <= toIPv6('%s')", column, e.Network.Masked().Addr(), column, Last(e.Network))
	}
	which := fmt.Sprintf("((src_addr IN %s%s)\n        OR (dst_addr IN %s%s))", list, between("dst_addr"), list, between("src_addr"))
	return detect.EvidenceSQL(e.Window, e.About, which)
}

func (e *Evidence) params() []any {
	first, last := netip.IPv6Unspecified(), netip.AddrFrom16([16]byte(slices.Repeat([]byte{0xff}, 16)))
	if e.Network.IsValid() {
		first, last = e.Network.Masked().Addr(), Last(e.Network)
	}
	return []any{
		detect.Param("start", e.Window.Start), detect.Param("end", e.Window.End),
		detect.Param("senders", Texts(e.Senders)), detect.Param("first", Text(first)), detect.Param("last", Text(last)),
	}
}

// Text is the address as a parameter of type IPv6 has it.
func Text(a netip.Addr) string {
	if a.Is4() {
		return "::ffff:" + a.String()
	}
	return a.String()
}

// Texts are addresses as a parameter of type Array(IPv6) has them.
func Texts(addrs []netip.Addr) []string {
	all := make([]string, len(addrs))
	for i, a := range addrs {
		all[i] = Text(a)
	}
	return all
}
