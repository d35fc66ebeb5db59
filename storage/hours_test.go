package storage_test

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"tapwatch/flow"
	"tapwatch/internal/testkit"
)

// noon is the first hour of the tests.
var noon = time.Date(2026, 11, 18, 12, 0, 0, 0, time.UTC)

// carried is a session of the tests that router pe1 reported at a time.
func carried(at time.Time, clientPort uint16, start, end time.Time) flow.Session {
	return flow.Session{
		Pane: at.Truncate(flow.Pane), AssetAddr: netip.MustParseAddr("10.66.0.30"), PeerAddr: netip.MustParseAddr("203.0.113.66"),
		AssetPort: clientPort, PeerPort: 443, Protocol: 6, Port: 443, Initiator: "asset",
		Established: true, Answered: true, AssetTried: true, AssetSpoke: true, PeerSpoke: true, FlagsIn: 24, FlagsOut: 24,
		Flows: 2, BytesIn: 1000, BytesOut: 300, PacketsIn: 4, PacketsOut: 3,
		FirstSeen: at, LastSeen: at, FlowStart: start, FlowEnd: end, StartedAt: start, Sampling: 100, LeastSampling: 1,
		Asset: flow.End{Zone: "li-east", Kind: "lawful-intercept", Name: "mdf3-1", Role: "mdf3"},
		Peer:  flow.End{Country: "RU", ASN: 64500, ASOrg: "Example Hosting", Intel: "list:203.0.113.0/24"},
		Sightings: []flow.SessionSighting{
			{Exporter: netip.MustParseAddr("10.30.0.1"), ToAsset: true, Sampling: 1, InIf: 7, Flows: 1, Bytes: 1000, Packets: 4},
			{Exporter: netip.MustParseAddr("10.30.0.1"), Sampling: 1, InIf: 9, Flows: 1, Bytes: 300, Packets: 3},
			{Exporter: netip.MustParseAddr("2001:db8::1"), Sampling: 100, Flows: 1, Bytes: 700, Packets: 100},
		},
	}
}

func TestSessionsComeBackAsStored(t *testing.T) {
	s := testkit.Store(t)
	a, b := carried(noon.Add(5*time.Second), 40000, noon, noon.Add(time.Second)), carried(noon.Add(25*time.Second), 40001, noon, noon.Add(2*time.Second))
	b.Asset.Name, b.Initiator, b.Established, b.AssetServes = "", "", false, true
	for range 2 { // the same token stores once
		if err := s.WriteSessions(t.Context(), []flow.Session{a, b}, "one"); err != nil {
			t.Fatal(err)
		}
	}
	var got []flow.Session
	collect := func(some []flow.Session) error { got = append(got, some...); return nil }
	if err := s.ReadSessions(t.Context(), noon, noon.Add(time.Minute), collect); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]flow.Session{a, b}, got, cmpopts.EquateComparable(netip.Addr{})); diff != "" {
		t.Errorf("sessions (-stored +read):\n%s", diff)
	}
	got = nil
	if err := s.ReadSessions(t.Context(), noon, noon.Add(20*time.Second), collect); err != nil || len(got) != 1 {
		t.Errorf("%d sessions of two panes, %v", len(got), err)
	}
}

// pairHour is what a row of pair_hours says of sessions.
type pairHour struct {
	Hour   time.Time   `ch:"hour"`
	Active uint32      `ch:"active"`
	Begun  uint32      `ch:"begun"`
	Bytes  uint64      `ch:"bytes_in"`
	Millis uint64      `ch:"active_ms"`
	Starts []time.Time `ch:"starts"`
	Start  []uint64    `ch:"start_bytes_in"`
}

func TestHoursStitchWhatActiveTimeoutsCut(t *testing.T) {
	minute := time.Minute
	// Another router reports the same, each time a little later.
	other := func(s flow.Session) flow.Session {
		s.Sightings = slices.Clone(s.Sightings)
		for i := range s.Sightings {
			s.Sightings[i].Exporter = netip.MustParseAddr("10.30.0.2")
		}
		s.Sightings = s.Sightings[:2]
		return s
	}
	at := func(d time.Duration) time.Time { return noon.Add(d) }
	part := func(received, start, end time.Duration, port uint16) flow.Session {
		return carried(at(received), port, at(start), at(end))
	}
	syn := part(21*minute, 20*minute, 21*minute, 1)
	syn.FlagsOut |= 2
	for _, c := range []struct {
		name  string
		parts []flow.Session
		want  []pairHour
	}{
		{"one record", []flow.Session{part(minute, 0, minute, 1)},
			[]pairHour{{Active: 1, Begun: 1, Bytes: 1000, Millis: 60000, Starts: []time.Time{at(0)}, Start: []uint64{1000}}}},
		{"a minute's active timeout", []flow.Session{part(minute, 0, minute, 1), part(2*minute, minute, 2*minute, 1), part(3*minute, 2*minute, 3*minute, 1)},
			[]pairHour{{Active: 1, Begun: 1, Bytes: 3000, Millis: 180000, Starts: []time.Time{at(0)}, Start: []uint64{3000}}}},
		{"the same by a second router, a little later", []flow.Session{part(minute, 0, minute, 1), other(part(minute+20*time.Second, time.Second, minute, 1))},
			[]pairHour{{Active: 1, Begun: 1, Bytes: 1000, Millis: 60000, Starts: []time.Time{at(0)}, Start: []uint64{1000}}}},
		{"half an hour's active timeout, over the hour", []flow.Session{part(40*minute, 10*minute, 40*minute, 1), part(70*minute, 40*minute, 70*minute, 1)},
			[]pairHour{
				{Active: 1, Begun: 1, Bytes: 1000, Millis: 1800000, Starts: []time.Time{at(10 * minute)}, Start: []uint64{1000}},
				{Hour: noon.Add(time.Hour), Active: 1, Bytes: 1000, Millis: 1800000},
			}},
		{"two ports are two sessions", []flow.Session{part(minute, 0, minute, 1), part(2*minute, minute, 2*minute, 2)},
			[]pairHour{{Active: 2, Begun: 2, Bytes: 2000, Millis: 120000, Starts: []time.Time{at(0), at(minute)}, Start: []uint64{1000, 1000}}}},
		{"a new SYN on the same ports", []flow.Session{part(minute, 0, minute, 1), syn},
			[]pairHour{{Active: 1, Begun: 2, Bytes: 2000, Millis: 120000, Starts: []time.Time{at(0), at(20 * minute)}, Start: []uint64{1000, 1000}}}},
		{"long silence", []flow.Session{part(minute, 0, minute, 1), part(31*minute, 30*minute, 31*minute, 1)},
			[]pairHour{{Active: 1, Begun: 2, Bytes: 2000, Millis: 120000, Starts: []time.Time{at(0), at(30 * minute)}, Start: []uint64{1000, 1000}}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := testkit.Store(t)
			for i, p := range c.parts {
				if err := s.WriteSessions(t.Context(), []flow.Session{p}, fmt.Sprint(i)); err != nil {
					t.Fatal(err)
				}
			}
			for i := range c.want {
				if c.want[i].Hour.IsZero() {
					c.want[i].Hour = noon
				}
			}
			for range 2 { // finished again: nothing twice
				for h := range 2 {
					if err := s.FinishHour(t.Context(), noon.Add(time.Duration(h)*time.Hour)); err != nil {
						t.Fatal(err)
					}
				}
			}
			check := func(how string) {
				t.Helper()
				var got []pairHour
				if err := s.Select(t.Context(), &got, "SELECT hour, active, begun, bytes_in, active_ms, starts, start_bytes_in FROM pair_hours ORDER BY hour"); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(c.want, got, cmpopts.EquateEmpty()); diff != "" {
					t.Errorf("hours, %s (-want +got):\n%s", how, diff)
				}
			}
			check("one by one")
			rebuild(t, s, c.parts)
			check("made anew")
		})
	}
}

// rebuilder is what making history anew needs of a store.
type rebuilder interface {
	ForgetSessions(ctx context.Context, from, to time.Time) error
	WriteSessions(ctx context.Context, sessions []flow.Session, token string) error
	FinishHours(ctx context.Context, from, to time.Time) error
}

func rebuild(t *testing.T, s rebuilder, parts []flow.Session) {
	t.Helper()
	ctx, end := t.Context(), noon.Add(2*time.Hour)
	if err := s.ForgetSessions(ctx, noon, end); err != nil {
		t.Fatal(err)
	}
	if err := s.WriteSessions(ctx, parts, ""); err != nil {
		t.Fatal(err)
	}
	if err := s.FinishHours(ctx, noon, end); err != nil {
		t.Fatal(err)
	}
}
