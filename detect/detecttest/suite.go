package detecttest

import (
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"tapwatch/alert"
	"tapwatch/detect"
)

// Suite says how to test one detector.
type Suite struct {
	// New makes the detector, with an inventory under which Allowed is allowed.
	New func(t *testing.T) detect.Detector
	// Open gives a stage on a fresh database.
	Open func(t *testing.T) *Stage
	// Allowed stores traffic that must yield nothing, Suspicious what must yield
	// findings in [From, To). Both begin at From or before.
	Allowed, Suspicious func(s *Stage)
	From, To            time.Time
}

// Run runs the suite.
func Run(t *testing.T, s Suite) {
	t.Run("name", s.testName)
	t.Run("silent without flows", s.testEmpty)
	t.Run("silent about allowed traffic", s.testAllowed)
	t.Run("findings", s.testFindings)
}

func (s *Suite) testName(t *testing.T) {
	if name := s.New(t).Name(); !kebab.MatchString(name) {
		t.Errorf("the name %q is not in kebab case", name)
	}
}

func (s *Suite) testEmpty(t *testing.T) {
	if got := s.Open(t).Detect(s.New(t), s.From, s.To); len(got) > 0 {
		t.Errorf("found %q in an empty database", Titles(got))
	}
}

func (s *Suite) testAllowed(t *testing.T) {
	stage := s.Open(t)
	s.Allowed(stage)
	if got := stage.Detect(s.New(t), s.From, s.To); len(got) > 0 {
		t.Errorf("found %q in allowed traffic", Titles(got))
	}
}

func (s *Suite) testFindings(t *testing.T) {
	stage := s.Open(t)
	s.Suspicious(stage)
	d := s.New(t)
	found := stage.Detect(d, s.From, s.To)
	if len(found) == 0 {
		t.Fatal("found nothing in suspicious traffic")
	}
	for _, f := range found {
		t.Run(f.Rule, func(t *testing.T) {
			checkFinding(t, d.Name(), &f)
			if stage.Rows(f.SQL) == 0 {
				t.Errorf("its query returns nothing:\n%s", f.SQL)
			}
		})
	}
	t.Run("unique in a window", func(t *testing.T) { checkUnique(t, found) })
	t.Run("deterministic", func(t *testing.T) { s.checkRepeats(t, stage, found) })
	t.Run("blind to the future", func(t *testing.T) { s.checkFuture(t, stage, found) })
}

// checkRepeats runs the windows again, the last first, with a fresh detector.
func (s *Suite) checkRepeats(t *testing.T, stage *Stage, want []alert.Finding) {
	windows := slices.Collect(detect.Windows(s.From, s.To, stage.every(s.New(t))))
	slices.Reverse(windows)
	var got []alert.Finding
	d := s.New(t)
	for _, w := range windows {
		got = append(stage.Window(d, w), got...)
	}
	if diff := cmp.Diff(want, got, compareAddr); diff != "" {
		t.Errorf("the windows, the last first, yield something else (-first +again):\n%s", diff)
	}
}

// checkFuture runs the windows again after the suspicious traffic has come once
// more, later.
func (s *Suite) checkFuture(t *testing.T, stage *Stage, want []alert.Finding) {
	stage.Flows(Flow{At: s.To, Src: "203.0.113.66", Dst: "10.66.0.30", SrcPort: 50000, DstPort: 22, Flags: Session},
		Flow{At: s.To.Add(time.Hour), Src: "10.66.0.30", Dst: "198.51.100.13", SrcPort: 50000, DstPort: 443, Flags: Session})
	got := stage.Detect(s.New(t), s.From, s.To)
	if diff := cmp.Diff(want, got, compareAddr); diff != "" {
		t.Errorf("flows received after the windows change what was found in them (-before +after):\n%s", diff)
	}
}

// compareAddr compares netip.Addr, which keeps its members to itself.
var compareAddr = cmpopts.EquateComparable(netip.Addr{})

func checkUnique(t *testing.T, findings []alert.Finding) {
	type key struct {
		id    string
		start time.Time
	}
	seen := map[key]bool{}
	for _, f := range findings {
		k := key{f.ID, f.WindowStart}
		if seen[k] {
			t.Errorf("two findings of the window from %s share the identity %s: %s", f.WindowStart, f.ID, f.Title)
		}
		seen[k] = true
	}
}

var (
	kebab   = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`)
	version = regexp.MustCompile(`^v[0-9]+(\.[0-9]+)?$`)
	number  = regexp.MustCompile(`^T[0-9]{4}(\.[0-9]{3})?$`)
)

// checkFinding holds one finding against what people and sinks rely on.
func checkFinding(t *testing.T, name string, f *alert.Finding) {
	for _, c := range []struct {
		what string
		ok   bool
	}{
		{"the identity is 16 hexadecimal digits", len(f.ID) == 16},
		{"the detector is named", f.Detector == name},
		{"the rule is in kebab case", kebab.MatchString(f.Rule)},
		{"the window has both bounds", f.WindowStart.Before(f.WindowEnd) && !f.WindowStart.IsZero()},
		{"the evidence lies before the window's end", !f.FirstSeen.After(f.LastSeen) && !f.LastSeen.After(f.WindowEnd)},
		{"the evidence has a beginning", !f.FirstSeen.IsZero()},
		{"the severity is one", f.Severity >= alert.Low && f.Severity <= alert.Critical},
		{"the title is one line of at most 200 bytes", line(f.Title, 200)},
		{"the summary is one paragraph of at most 800 bytes", line(f.Summary, 800)},
		{"the summary is whole sentences", strings.HasSuffix(f.Summary, ".")},
		{"there are at least two reasons", len(f.Reasons) >= 2},
		{"a reason has a number", slices.ContainsFunc(f.Reasons, func(r string) bool { return strings.ContainsAny(r, "0123456789") })},
		{"there are at least two next steps", len(f.NextSteps) >= 2},
		{"no text is empty", !slices.Contains(slices.Concat(f.Reasons, f.NextSteps, f.Exporters, f.Quality), "")},
		{"exporters, quality and techniques are lists", f.Exporters != nil && f.Quality != nil && len(f.Techniques) > 0},
		{"the initiator is peer, asset or unknown", slices.Contains([]string{"", "peer", "asset"}, f.Initiator)},
	} {
		if !c.ok {
			t.Errorf("not so: %s\n%+v", c.what, *f)
		}
	}
	for _, tech := range f.Techniques {
		if !number.MatchString(tech.ID) || tech.Name == "" || tech.Tactic == "" || !version.MatchString(tech.Matrix) {
			t.Errorf("not a technique of a versioned matrix: %+v", tech)
		}
	}
}

// line tells whether text is one line, not empty, of at most limit bytes, without
// what a missing value leaves behind.
func line(text string, limit int) bool {
	return text != "" && len(text) <= limit && !strings.Contains(text, "\n") && !strings.Contains(text, "%!") &&
		!strings.Contains(text, "invalid IP") && !strings.Contains(text, "  ") && !strings.Contains(text, "()")
}
