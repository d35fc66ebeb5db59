package relay

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// one is a session that began at ms, in and out as its pair's asset has them.
func one(asset, peer string, serves bool, ms int64, in, out uint64) begun {
	b := begun{AssetAddr: netip.MustParseAddr(asset), PeerAddr: netip.MustParseAddr(peer), Protocol: 6, Port: 22, Serves: serves, Fresh: true, MS: ms, Up: out, Down: in}
	if serves {
		b.Up, b.Down = in, out
	}
	return b
}

func texts(all []candidate) []string {
	var texts []string
	for _, c := range all {
		texts = append(texts, fmt.Sprint(c.From, " ", c.Device, " ", c.To))
	}
	return texts
}

// TestJoin holds what goes on and what does not, beside a session that comes in to
// 10.30.0.1 from 203.0.113.66 at 1,000,000 ms with 4000 bytes up and 90,000 down.
func TestJoin(t *testing.T) {
	const at, up, down = 1_000_000, 4_000, 90_000
	router, outside, other := "10.30.0.1", "203.0.113.66", "198.51.100.20"
	goes := []string{outside + " " + router + " " + other}
	for _, c := range []struct {
		name string
		went begun
		edit func(in, out *begun)
		want []string
	}{
		{"at once", one(router, other, false, at, down, up), nil, goes},
		{"half a second before", one(router, other, false, at-500, down, up), nil, goes},
		{"earlier than that", one(router, other, false, at-501, down, up), nil, nil},
		{"five seconds later", one(router, other, false, at+5000, down, up), nil, goes},
		{"later than that", one(router, other, false, at+5001, down, up), nil, nil},
		{"a tenth more", one(router, other, false, at, down*11/10, up*11/10), nil, goes},
		{"more than that", one(router, other, false, at, down, up*11/10+1), nil, nil},
		{"more than a tenth less", one(router, other, false, at, down*10/11, up), nil, nil},
		{"the other way round", one(router, other, false, at, up, down), nil, nil},
		{"back to where it came from", one(router, outside, false, at, down, up), nil, nil},
		{"another system", one("10.30.0.2", other, false, at, down, up), nil, nil},
		{"it came in too", one(router, other, true, at, up, down), nil, nil},
		{"stored from the other end", one(other, router, true, at, up, down), func(_, out *begun) { out.PeerOurs = true }, goes},
		{"the same, of a peer that is not ours", one(other, router, true, at, up, down), nil, nil},
		{"a system that is there to relay", one(router, other, false, at, down, up), func(in, _ *begun) { in.Relays = true }, nil},
		{"one hour is the window's", one(router, other, false, at, down, up), func(in, _ *begun) { in.Fresh = false }, goes},
		{"neither is", one(router, other, false, at, down, up), func(in, out *begun) { in.Fresh, out.Fresh = false, false }, nil},
	} {
		in, out := one(router, outside, true, at, up, down), c.went
		if c.edit != nil {
			c.edit(&in, &out)
		}
		cfg := DefaultConfig()
		if diff := cmp.Diff(c.want, texts(join(t, &cfg, []begun{out, in, out}))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

// TestJoinAll holds the join against one that looks at all combinations, of rows in any
// order.
func TestJoinAll(t *testing.T) {
	cfg := DefaultConfig()
	r := rand.New(rand.NewPCG(5, 6))
	addr := func() string { return fmt.Sprintf("10.30.0.%d", r.IntN(6)) }
	var rows []begun
	for range 200 {
		b := one(addr(), addr(), r.IntN(2) == 0, r.Int64N(60_000), 1500+r.Uint64N(400), 1500+r.Uint64N(400))
		b.PeerOurs, b.Relays, b.Fresh, b.Port = r.IntN(2) == 0, r.IntN(5) == 0, r.IntN(2) == 0, uint16(r.IntN(3))
		rows = append(rows, b)
	}
	var want []candidate
	for i := range rows {
		for k := range rows {
			in, out := &rows[i], &rows[k]
			lag := out.MS - in.MS
			if in.cameIn() && out.wentOut() && in.server() == out.client() && lag >= -500 && lag <= 5000 && cfg.goesOn(in, out) {
				want = append(want, candidate{in.server(), in.client(), out.server(), in.key(), out.key()})
			}
		}
	}
	slices.SortFunc(want, candidate.compare)
	want = slices.Compact(want)
	for range 5 {
		r.Shuffle(len(rows), func(i, k int) { rows[i], rows[k] = rows[k], rows[i] })
		if got := join(t, &cfg, rows); !slices.Equal(want, got) {
			t.Fatalf("candidates %v, want %v", got, want)
		}
	}
	if len(want) < 10 {
		t.Errorf("%d candidates are too few to tell", len(want))
	}
}

func join(t *testing.T, c *Config, rows []begun) []candidate {
	t.Helper()
	found, err := c.join(t.Context(), rows)
	if err != nil {
		t.Fatal(err)
	}
	return found
}
