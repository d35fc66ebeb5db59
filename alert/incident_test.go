package alert

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

var began = time.Date(2026, 3, 1, 6, 0, 0, 0, time.UTC)

// seen makes an episode about an asset and a peer, from some hours after began on.
func seen(id, asset, peer string, hour, lasts float64, tactics ...string) Episode {
	e := Episode{}
	e.ID, e.Title, e.Severity, e.Detector = id, "title of "+id, Medium, "policy"
	e.Asset.Asset = asset
	if peer != "" {
		e.Peer.Addr = netip.MustParseAddr(peer)
	}
	e.FirstSeen = began.Add(time.Duration(hour * float64(time.Hour)))
	e.LastSeen = e.FirstSeen.Add(time.Duration(lasts * float64(time.Hour)))
	for _, t := range tactics {
		e.Techniques = append(e.Techniques, Technique{ID: "T-" + t, Tactic: t})
	}
	return e
}

var day = Grouping{Gap: 24 * time.Hour}

// members gives the alerts of each incident that is not absorbed.
func members(all []Incident) (ids [][]string) {
	for _, in := range all {
		if in.AbsorbedInto == "" {
			ids = append(ids, slices.Sorted(slices.Values(in.AlertIDs)))
		}
	}
	return ids
}

func TestIncidentsGroup(t *testing.T) {
	service := netip.MustParseAddr("10.20.0.10")
	router := seen("x", "", "", 1, 0)
	router.Asset.Addr = netip.MustParseAddr("10.30.0.1")
	for _, c := range []struct {
		name     string
		episodes []Episode
		want     [][]string
	}{
		{"none", nil, nil},
		{"one asset", []Episode{seen("a", "hss", "192.0.2.1", 0, 1), seen("b", "hss", "192.0.2.2", 20, 0)}, [][]string{{"a", "b"}}},
		{"one peer", []Episode{seen("a", "hss", "192.0.2.1", 0, 1), seen("b", "mme", "::ffff:192.0.2.1", 2, 0)}, [][]string{{"a", "b"}}},
		{"nothing in common", []Episode{seen("a", "hss", "192.0.2.1", 0, 1), seen("b", "mme", "192.0.2.2", 0, 1)}, [][]string{{"a"}, {"b"}}},
		{"no peer is no common peer", []Episode{seen("a", "hss", "", 0, 1), seen("b", "mme", "", 0, 1)}, [][]string{{"a"}, {"b"}}},
		{"a shared service is no common peer", []Episode{seen("a", "hss", "10.20.0.10", 0, 1), seen("b", "mme", "10.20.0.10", 0, 1)}, [][]string{{"a"}, {"b"}}},
		{"a shared service as asset", []Episode{seen("a", "aaa", "192.0.2.1", 0, 1), seen("b", "aaa", "192.0.2.2", 0, 1)}, [][]string{{"a", "b"}}},
		{"just within the gap", []Episode{seen("a", "hss", "", 0, 1), seen("b", "hss", "", 25, 0)}, [][]string{{"a", "b"}}},
		{"just beyond the gap", []Episode{seen("a", "hss", "", 0, 1), seen("b", "hss", "", 25.001, 0)}, [][]string{{"a"}, {"b"}}},
		{"a long one spans it", []Episode{seen("a", "hss", "", 0, 100), seen("b", "hss", "", 90, 0), seen("c", "hss", "", 124, 0)}, [][]string{{"a", "b", "c"}}},
		{"the peer of one is the asset of another", []Episode{seen("a", "hss", "10.30.0.1", 0, 1), router}, [][]string{{"a", "x"}}},
		{"a chain", []Episode{seen("a", "hss", "192.0.2.1", 0, 1), seen("b", "mme", "192.0.2.1", 2, 1), seen("c", "mme", "192.0.2.9", 4, 1)}, [][]string{{"a", "b", "c"}}},
		{"the same again after a month", []Episode{seen("a", "hss", "", 0, 1), func() Episode { e := seen("a", "hss", "", 720, 1); e.Later = true; return e }()}, [][]string{{"a"}, {"a"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := Incidents(c.episodes, Grouping{Gap: day.Gap, Shared: func(a netip.Addr) bool { return a == service }})
			if diff := cmp.Diff(c.want, members(got)); diff != "" {
				t.Error(diff)
			}
			ids := map[string]bool{}
			for _, in := range got {
				if ids[in.ID] {
					t.Errorf("two incidents have the identity %s", in.ID)
				}
				ids[in.ID] = true
			}
		})
	}
}

// TestIncidentIdentity: it stays when later alerts join, and where two grow together the
// older wins and says so.
func TestIncidentIdentity(t *testing.T) {
	a, b := seen("a", "hss", "192.0.2.1", 0, 1), seen("b", "mme", "192.0.2.2", 1, 1)
	apart := Incidents([]Episode{a, b}, day)
	if len(apart) != 2 {
		t.Fatalf("%d incidents", len(apart))
	}
	both := Incidents([]Episode{a, b, seen("c", "hss", "192.0.2.2", 3, 1)}, day)
	if len(both) != 2 || both[0].ID != apart[0].ID || !slices.Equal(both[0].Absorbed, []string{apart[1].ID}) {
		t.Fatalf("together they are %+v", both)
	}
	if gone := both[1]; gone.ID != apart[1].ID || gone.AbsorbedInto != apart[0].ID || gone.Status != IncidentAbsorbed || gone.StatusAt(began, time.Hour) != IncidentAbsorbed {
		t.Errorf("the younger is %+v", gone)
	}
	if s := both[0].StatusAt(began.Add(28*time.Hour), day.Gap); s != IncidentOpen {
		t.Errorf("at the gap it is %s", s)
	}
	if s := both[0].StatusAt(began.Add(28*time.Hour+1), day.Gap); s != IncidentQuiet {
		t.Errorf("after the gap it is %s", s)
	}
	again := seen("a", "hss", "192.0.2.1", 0, 1)
	again.Later = true
	if again.Identity() == a.Identity() {
		t.Error("a later episode has the identity of the first")
	}
}

// TestIncidentTells: title and severity of the worst, the timeline by tactic, the folds.
func TestIncidentTells(t *testing.T) {
	a, b := seen("a", "hss", "192.0.2.1", 0, 1, "Discovery"), seen("b", "hss", "192.0.2.1", 2, 1, "Initial Access", "Exfiltration")
	c, d := seen("c", "hss", "192.0.2.1", 1, 9, "Discovery"), seen("d", "hss", "", 5, 1)
	a.Port, b.Port, c.Port = 22, 443, 443
	b.Severity, b.Confidence, c.Severity, c.Confidence, c.Detector = High, 0.9, High, 0.5, "intel"
	b.Peer.Country, b.Peer.Asset, c.Peer.Asset, b.Version, d.Version = "NL", "jump-1", "jump-1", 7, 9
	d.Techniques, c.Asset.Zone = nil, "core"
	in := Incidents([]Episode{d, c, b, a}, day)[0]
	want := Incident{
		ID: Identity("incident", "a"), Title: "title of b", Severity: High, Status: IncidentOpen, Risk: in.Risk, Version: 9,
		Assets: []string{"hss"}, Peers: []string{"192.0.2.1", "jump-1 (192.0.2.1)"}, Countries: []string{"NL"}, Detectors: []string{"intel", "policy"},
		FirstSeen: began, LastSeen: began.Add(10 * time.Hour),
		Folds:    []Fold{{Lead: "b", Also: []string{"c"}}, {Lead: "a", Also: []string{}}, {Lead: "d", Also: []string{}}},
		AlertIDs: []string{"b", "c", "a", "d"},
		Timeline: []Stage{
			{Tactic: "Discovery", FirstSeen: began, LastSeen: began.Add(10 * time.Hour), Techniques: []string{"T-Discovery"}, Alerts: []string{"a", "c"}},
			{Tactic: "Initial Access", FirstSeen: began.Add(2 * time.Hour), LastSeen: began.Add(3 * time.Hour), Techniques: []string{"T-Initial Access"}, Alerts: []string{"b"}},
			{Tactic: "Exfiltration", FirstSeen: began.Add(2 * time.Hour), LastSeen: began.Add(3 * time.Hour), Techniques: []string{"T-Exfiltration"}, Alerts: []string{"b"}},
			{Tactic: "", FirstSeen: began.Add(5 * time.Hour), LastSeen: began.Add(6 * time.Hour), Techniques: []string{}, Alerts: []string{"d"}},
		},
	}
	if diff := cmp.Diff(want, in, cmpopts.EquateEmpty(), cmpopts.IgnoreFields(Incident{}, "Members")); diff != "" {
		t.Error(diff)
	}
}

// TestFolds: which of the two ends a detector takes for the asset does not count; where
// the asset is no more than a zone, that zone does.
func TestFolds(t *testing.T) {
	to, from := seen("a", "mdf3-1", "10.30.0.1", 0, 1), seen("b", "pe1", "10.66.0.30", 0, 1)
	to.Peer.Asset, from.Peer.Asset, to.Port, from.Port = "pe1", "mdf3-1", 22, 22
	sweep, other := seen("c", "", "10.30.0.1", 0, 1), seen("d", "", "10.30.0.1", 0, 1)
	sweep.Asset.Zone, other.Asset.Zone = "li-east", "core-east"
	in := Incidents([]Episode{to, from, sweep, other}, day)[0]
	want := []Fold{{Lead: "a", Also: []string{"b"}}, {Lead: "c", Also: []string{}}, {Lead: "d", Also: []string{}}}
	if diff := cmp.Diff(want, in.Folds); diff != "" || !slices.Equal(in.Assets, []string{"mdf3-1", "pe1", "zone core-east", "zone li-east"}) {
		t.Errorf("%v %s", in.Assets, diff)
	}
}

// episodes generates episodes with few assets and peers, so that many are linked.
var episodes = rapid.Custom(func(t *rapid.T) []Episode {
	n := rapid.IntRange(0, 14).Draw(t, "n")
	all := make([]Episode, n)
	for i := range all {
		asset := fmt.Sprint("asset", rapid.IntRange(0, 4).Draw(t, "asset"))
		peer := rapid.SampledFrom([]string{"", "192.0.2.1", "192.0.2.2", "192.0.2.3"}).Draw(t, "peer")
		tactics := rapid.SliceOfNDistinct(rapid.SampledFrom(allTactics), 0, 3, rapid.ID[string]).Draw(t, "tactics")
		e := seen(fmt.Sprint("alert", i), asset, peer, float64(rapid.IntRange(0, 200).Draw(t, "hour")), float64(rapid.IntRange(0, 50).Draw(t, "lasts")), tactics...)
		e.Severity, e.Confidence = Severity(rapid.IntRange(1, 4).Draw(t, "severity")), float64(rapid.IntRange(0, 10).Draw(t, "confidence"))/10
		e.Port, e.Version = uint16(rapid.IntRange(0, 2).Draw(t, "port")), uint64(i+1)
		all[i] = e
	}
	return all
})

var allTactics = []string{
	"Reconnaissance", "Resource Development", "Initial Access", "Execution", "Persistence", "Privilege Escalation", "Stealth", "Defense Impairment",
	"Credential Access", "Discovery", "Lateral Movement", "Collection", "Command and Control", "Exfiltration", "Impact",
}

// TestIncidentsProperties: whatever the order and however often an episode comes, the
// incidents are the same; every episode is in exactly one; and growing alert by alert, no
// identity that was ever known gets lost.
func TestIncidentsProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := episodes.Draw(t, "episodes")
		want := Incidents(all, day)
		mixed := append(slices.Clone(all), all[:len(all)/2]...)
		rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0)).Shuffle(len(mixed), func(i, j int) { mixed[i], mixed[j] = mixed[j], mixed[i] })
		if diff := cmp.Diff(want, Incidents(mixed, day)); diff != "" {
			t.Fatalf("another order gives others: %s", diff)
		}
		in := map[string]int{}
		for _, x := range want {
			for _, id := range x.AlertIDs {
				in[id]++
			}
		}
		for _, e := range all {
			if in[e.ID] != 1 {
				t.Fatalf("alert %s is in %d incidents", e.ID, in[e.ID])
			}
		}
		slices.SortFunc(all, earlierEpisode)
		var known []string
		for n := range len(all) + 1 {
			now := map[string]bool{}
			for _, x := range Incidents(all[:n], day) {
				now[x.ID] = true
			}
			for _, id := range known {
				if !now[id] {
					t.Fatalf("incident %s is gone after alert %d", id, n)
				}
			}
			for id := range now {
				known = append(known, id)
			}
		}
		if n := len(all); n > 0 {
			only := Incidents(Linked(all, day, func(e *Episode) bool { return e.ID == all[0].ID }), day)
			if len(only) == 0 || cmp.Diff(want[:1], only[:1]) != "" {
				t.Fatalf("the incident of the first alone is another: %v", only)
			}
		}
	})
}

// TestRiskProperties: repetition changes nothing, one more tactic raises the risk, and it
// stays within 0 and 100.
func TestRiskProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := episodes.Filter(func(e []Episode) bool { return len(e) > 0 }).Draw(t, "episodes")
		risk := func(extra ...Episode) float64 {
			var pointers []*Episode
			for i := range all {
				pointers = append(pointers, &all[i])
			}
			for i := range extra {
				pointers = append(pointers, &extra[i])
			}
			return Risk(pointers)
		}
		before := risk()
		if before <= 0 || before >= 100 {
			t.Fatalf("risk %g", before)
		}
		repeated := all[rapid.IntRange(0, len(all)-1).Draw(t, "which")]
		repeated.ID, repeated.FirstSeen = "another", repeated.LastSeen
		if again := risk(repeated, repeated, repeated); again != before {
			t.Fatalf("the same again makes %g of %g", again, before)
		}
		had := map[string]bool{}
		for _, e := range all {
			for _, x := range e.Techniques {
				had[x.Tactic] = true
			}
		}
		for _, tactic := range allTactics {
			if had[tactic] || len(had) == 0 {
				continue // the first tactic says no more than the alert
			}
			if more := risk(seen("more", "hss", "", 0, 0, tactic)); more <= before {
				t.Fatalf("tactic %s more leaves the risk %g at %g", tactic, before, more)
			}
		}
		worse := repeated
		worse.Severity, worse.Confidence = Critical, 1
		if more := risk(worse); more < before {
			t.Fatalf("a worse alert lowers the risk %g to %g", before, more)
		}
	})
}

func TestRiskOfExamples(t *testing.T) {
	e := func(s Severity, confidence float64, tactics ...string) *Episode {
		x := seen("x", "hss", "", 0, 0, tactics...)
		x.Severity, x.Confidence = s, confidence
		return &x
	}
	for _, c := range []struct {
		name    string
		members []*Episode
		want    float64
	}{
		{"a low one", []*Episode{e(Low, 1)}, 10},
		{"a critical one", []*Episode{e(Critical, 1, "Initial Access")}, 60},
		{"an unsure critical one", []*Episode{e(Critical, 0.1, "Initial Access")}, 38.4},
		{"of confidence that is not known", []*Episode{e(Critical, 0, "Initial Access")}, 48},
		{"three low ones of three tactics", []*Episode{e(Low, 1, "Discovery"), e(Low, 1, "Collection"), e(Low, 1, "Exfiltration")}, 45.8},
		{"a campaign", []*Episode{e(Critical, 1, "Initial Access", "Discovery"), e(High, 1, "Collection", "Command and Control", "Exfiltration")}, 85.5},
	} {
		if got := Risk(c.members); got != c.want {
			t.Errorf("%s: risk %g, want %g", c.name, got, c.want)
		}
	}
}
