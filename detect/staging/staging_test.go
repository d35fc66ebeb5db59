package staging_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"tapwatch/alert"
	"tapwatch/detect/detecttest"
	"tapwatch/detect/staging"
)

const (
	mb  = 1_000_000
	day = 24 * time.Hour

	jump    = "10.20.0.5"
	etl     = "10.20.0.30"
	keeper  = "10.20.0.40" // collects and keeps it
	busy    = "10.20.0.41" // collects and sends every day
	reader  = "10.20.0.42"
	usual   = "10.20.0.43" // reads the subscriber database every day
	hss     = "10.40.1.10"
	vps     = "198.51.100.13"
	partner = "203.0.113.67"
)

// core are systems that hosts collect from.
var core = []string{"10.40.3.1", "10.40.3.2", "10.40.3.3", "10.40.3.4"}

type flow = detecttest.Flow

// start is when the history of the tests begins, a Monday; what is to be found begins
// eleven days later.
var (
	start = time.Date(2026, 10, 5, 0, 0, 0, 0, time.UTC)
	then  = start.AddDate(0, 0, 11)
)

// get is a session in which client reads bytes from server; put one in which it sends.
func get(when time.Time, client, server string, bytes float64) []flow {
	f := flow{At: when, Begin: when.Add(-time.Minute), Src: client, Dst: server, SrcPort: uint16(30000 + when.Unix()%20000), DstPort: 22,
		Flags: detecttest.Session, Packets: uint64(bytes/2000) + 5, Bytes: uint64(bytes/50) + 2000}
	return []flow{f, f.Back(uint64(bytes/1000)+5, uint64(bytes))}
}

func put(when time.Time, client, server string, bytes float64) []flow {
	f := flow{At: when, Begin: when.Add(-time.Minute), Src: client, Dst: server, SrcPort: uint16(30000 + when.Unix()%20000), DstPort: 443,
		Flags: detecttest.Session, Packets: uint64(bytes/1000) + 5, Bytes: uint64(bytes)}
	return []flow{f, f.Back(uint64(bytes/2000)+5, uint64(bytes/50)+2000)}
}

// background are so many days of work: every host reads a little from the core each day, one
// collects and sends on much, and one reads the subscriber database.
func background(n int) (all []flow) {
	random := rand.New(rand.NewPCG(9, 9))
	for d := range n {
		noon := start.AddDate(0, 0, d).Add(12 * time.Hour)
		for i, host := range []string{jump, etl, keeper, reader} {
			for j, system := range core {
				all = append(all, get(noon.Add(time.Duration(10*i+j)*time.Minute), host, system, (0.5+random.Float64())*mb)...)
			}
		}
		for j, system := range core {
			all = append(all, get(noon.Add(time.Duration(j)*time.Minute), busy, system, (40+10*random.Float64())*mb)...)
		}
		all = append(all, put(noon.Add(2*time.Hour), busy, partner, 150*mb)...)
		all = append(all, get(noon.Add(3*time.Hour), usual, hss, (30+10*random.Float64())*mb)...)
	}
	return all
}

// collect has the host read 30 MB from each of the systems, an hour after another.
func collect(host string, from time.Time, systems ...string) (all []flow) {
	for i, system := range systems {
		all = append(all, get(from.Add(time.Duration(i)*time.Hour+7*time.Minute), host, system, 30*mb)...)
	}
	return all
}

// ship sends so much in pieces over a day.
func ship(host string, from time.Time, bytes float64) (all []flow) {
	for i := range 12 {
		all = append(all, put(from.Add(time.Duration(2*i)*time.Hour+11*time.Minute), host, vps, bytes/12)...)
	}
	return all
}

func TestConformance(t *testing.T) {
	detecttest.Run(t, detecttest.Suite{
		New:  detector,
		Open: open,
		From: then, To: then.Add(36 * time.Hour),
		Allowed: func(s *detecttest.Stage) { s.Flows(background(13)...) },
		Suspicious: func(s *detecttest.Stage) {
			s.Flows(background(13)...)
			s.Flows(collect(jump, then, core...)...)
			s.Flows(ship(jump, then.Add(8*time.Hour), 100*mb)...)
			s.Flows(get(then.Add(5*time.Hour), reader, hss, 40*mb)...)
		},
	})
}

func TestScenarios(t *testing.T) {
	stage := open(t)
	stage.Flows(background(15)...)
	stage.Flows(collect(jump, then, core...)...) // and sends it away, two days later
	stage.Flows(ship(jump, then.Add(40*time.Hour), 100*mb)...)
	stage.Flows(collect(etl, then, core...)...) // so does one whose task it is
	stage.Flows(ship(etl, then.Add(8*time.Hour), 100*mb)...)
	stage.Flows(collect(keeper, then, core...)...)     // keeps it
	stage.Flows(collect(reader, then, core[:1]...)...) // from two systems only, with the one below
	stage.Flows(ship(reader, then.Add(8*time.Hour), 100*mb)...)
	stage.Flows(get(then.Add(5*time.Hour), reader, hss, 40*mb)...)
	stage.Flows(collect("10.20.0.50", then, core...)...) // nobody knows it yet
	first, last := map[string]time.Duration{}, map[string]alert.Finding{}
	for at := then; at.Before(then.AddDate(0, 0, 4)); at = at.Add(day) {
		for _, f := range stage.Detect(detector(t), at, at.Add(day)) {
			k := f.Rule + " " + f.Asset.Addr.String() + " " + f.Peer.Addr.String()
			if _, seen := first[k]; !seen {
				first[k] = f.WindowEnd.Sub(then)
			}
			if last[k].ID != "" && last[k].ID != f.ID {
				t.Errorf("%s: another alert for the same thing", k)
			}
			last[k] = f
		}
	}
	var got []string
	for k, f := range last {
		got = append(got, k)
		t.Logf("after %s, %s %.2f: %s\n%s\n- %s\n- %s", first[k], f.Severity, f.Confidence, f.Title, f.Summary, strings.Join(f.Reasons, "\n- "), strings.Join(f.NextSteps, "\n- "))
		if rows := stage.Rows(f.SQL); rows != f.Flows {
			t.Errorf("%s: the finding counts %d flows, its query shows %d", k, f.Flows, rows)
		}
	}
	slices.Sort(got)
	shipped, read := "collected-and-sent "+jump+" "+vps, "unusual-reader "+hss+" "+reader
	if want := []string{shipped, read}; !slices.Equal(got, want) {
		t.Fatalf("found %q, want %q", got, want)
	}
	if first[read] != 6*time.Hour {
		t.Errorf("the reader is found after %s, want 6 hours", first[read])
	}
	if d := first[shipped]; d <= 40*time.Hour || d > 66*time.Hour {
		t.Errorf("the staging is found after %s, while it sends", d)
	}
}

func TestConfig(t *testing.T) {
	good := staging.DefaultConfig()
	if err := good.Validate(); err != nil {
		t.Error(err)
	}
	bad := staging.Config{ReadBytes: 1, Share: 2}
	err := bad.Validate()
	if err == nil {
		t.Fatal("a configuration of zeros is valid")
	}
	for _, key := range []string{"history", "warm_up", "within", "sources", "bytes", "score", "share", "read_bytes"} {
		if !strings.Contains(err.Error(), key+": ") {
			t.Errorf("%s is not refused: %v", key, err)
		}
	}
}
