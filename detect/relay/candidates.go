package relay

import (
	"cmp"
	"context"
	_ "embed"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"tapwatch/detect"
	"tapwatch/detect/pairs"
	"tapwatch/inventory"
)

//go:embed begun.sql
var begunSQL string

// candidate is a session that came in and one that went on, for the first time in the
// window or again.
type candidate struct {
	Device, From, To netip.Addr
	In, Out          pairs.Key
}

func (c candidate) compare(o candidate) int {
	return cmp.Or(c.Device.Compare(o.Device), c.From.Compare(o.From), c.To.Compare(o.To), c.In.Compare(o.In), c.Out.Compare(o.Out))
}

// begun is a session, and the pair that it is of. Between equals a pair may be stored from
// the side of its other end, so a system is looked for at both.
type begun struct {
	AssetAddr netip.Addr `ch:"asset_addr"`
	PeerAddr  netip.Addr `ch:"peer_addr"`
	Protocol  uint8      `ch:"protocol"`
	Port      uint16     `ch:"port"`
	Serves    bool       `ch:"serves"`
	// PeerOurs says that the peer too is protected, Relays that the server is there to
	// relay, Fresh that the session began in the window.
	PeerOurs bool `ch:"peer_ours"`
	Relays   bool `ch:"relays"`
	Fresh    bool `ch:"fresh"`
	// MS is when it began, in milliseconds since 1970; Up is what its client sent, Down
	// what it got.
	MS   int64  `ch:"ms"`
	Up   uint64 `ch:"up"`
	Down uint64 `ch:"down"`
}

func (b *begun) key() pairs.Key {
	return pairs.Key{Asset: b.AssetAddr.Unmap(), Peer: b.PeerAddr.Unmap(), Protocol: b.Protocol, Port: b.Port}
}

func (b *begun) server() netip.Addr {
	if b.Serves {
		return b.AssetAddr.Unmap()
	}
	return b.PeerAddr.Unmap()
}

func (b *begun) client() netip.Addr {
	if b.Serves {
		return b.PeerAddr.Unmap()
	}
	return b.AssetAddr.Unmap()
}

// cameIn tells whether it came in to a protected system that is not there to relay,
// wentOut whether a protected system opened it.
func (b *begun) cameIn() bool  { return (b.Serves || b.PeerOurs) && !b.Relays }
func (b *begun) wentOut() bool { return !b.Serves || b.PeerOurs }

// most is how many candidates of a window are looked at.
const most = 10_000

// candidates are the sessions that came in to a protected system in the window or the hour
// before it and were followed, within the lag, by one that the system opened and that
// carried as much, each way; one of the two began in the window. Each two pairs come once.
func (d *Detector) candidates(ctx context.Context, h detect.History, inv *inventory.Inventory, w detect.Window) ([]candidate, error) {
	var rows []begun
	err := h.Select(ctx, &rows, begunSQL, detect.Param("since", w.Start.Add(-time.Hour)), detect.Param("start", w.Start), detect.Param("end", w.End),
		detect.Param("protected", detect.ProtectedZones(inv)), detect.Param("roles", lower(d.cfg.Roles)), detect.Param("bytes", d.cfg.Bytes))
	if err != nil {
		return nil, fmt.Errorf("look for sessions that go on: %w", err)
	}
	return d.cfg.join(ctx, rows)
}

// join gives the candidates among the sessions, in order.
func (c *Config) join(ctx context.Context, rows []begun) ([]candidate, error) {
	went := map[netip.Addr][]*begun{} // by who opened them
	for i := range rows {
		if b := &rows[i]; b.wentOut() {
			went[b.client()] = append(went[b.client()], b)
		}
	}
	for _, all := range went {
		slices.SortFunc(all, func(a, b *begun) int { return cmp.Compare(a.MS, b.MS) })
	}
	found := map[candidate]bool{}
	for i := range rows {
		in := &rows[i]
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if !in.cameIn() {
			continue
		}
		after := went[in.server()]
		first, _ := slices.BinarySearchFunc(after, in.MS-early.Milliseconds(), func(b *begun, ms int64) int { return cmp.Compare(b.MS, ms) })
		for _, out := range after[first:] {
			if out.MS > in.MS+c.Lag.Milliseconds() {
				break
			}
			if c.goesOn(in, out) {
				found[candidate{in.server(), in.client(), out.server(), in.key(), out.key()}] = true
			}
		}
	}
	all := slices.SortedFunc(maps.Keys(found), candidate.compare)
	return all[:min(len(all), most)], nil
}

// goesOn tells whether two sessions that began together may be one that goes on.
func (c *Config) goesOn(in, out *begun) bool {
	return in.client() != out.server() && (in.Fresh || out.Fresh) && c.near(in.Up, out.Up) && c.near(in.Down, out.Down)
}

func lower(roles []string) []string {
	all := make([]string, len(roles))
	for i, r := range roles {
		all[i] = strings.ToLower(r)
	}
	return all
}
