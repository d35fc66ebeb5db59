package beacon

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"tapwatch/alert"
	"tapwatch/detect"
	"tapwatch/detect/baseline"
	"tapwatch/detect/pairs"
	"tapwatch/flow"
	"tapwatch/inventory"
)

// findings puts the suspects into words.
func (d *Detector) findings(ctx context.Context, h detect.History, inv *inventory.Inventory, l *look, suspects []*candidate) ([]alert.Finding, error) {
	if len(suspects) == 0 {
		return nil, nil
	}
	keys := make([]pairs.Key, len(suspects))
	for i, c := range suspects {
		keys[i] = c.Key()
	}
	talks, err := pairs.Conversations(ctx, h, detect.Window{Start: l.recent, End: l.w.End}, keys)
	if err != nil {
		return nil, err
	}
	all := make([]found, len(suspects))
	for i, c := range suspects {
		talk, ok := talks[keys[i]]
		if !ok {
			talk = c.Conversation(c.FirstSeen, c.LastSeen)
		}
		all[i] = found{c, d.finding(c, &talk, l, inv)}
	}
	return d.fold(all, l), nil
}

func (d *Detector) finding(c *candidate, talk *detect.Conversation, l *look, inv *inventory.Inventory) alert.Finding {
	f := talk.Finding(Name, l.w, inv)
	f.Rule = c.rule
	f.ID = talk.Identity(Name, c.rule)
	f.Confidence = d.confidence(c, l.w.End)
	f.Severity = detect.Grade(alert.High, c.AssetKind, c.AssetRole, f.Confidence)
	f.Techniques = techniques(c)
	t := c.texts(d, l)
	f.Title = t.deed() + " " + t.beat()
	f.Summary = fmt.Sprintf("%s. Programs call like this, people do not. %s No rule of the inventory allows it.", f.Title, t.acquaintance())
	f.Reasons = t.reasons()
	f.Measures = c.measures()
	f.NextSteps = t.nextSteps()
	f.SQL = talk.SQL(detect.Window{Start: l.w.End.Add(-time.Duration(c.span()) * day), End: l.w.End})
	return f
}

// span is how many days of calls tell.
func (c *candidate) span() int {
	if c.rule == ruleCoverage {
		return 7
	}
	return c.days
}

// confidence is lower where it is not known whether the pair is new, where much of the
// carrier talks with the peer's network, where the peer calls, as outside monitors do,
// and where nobody answers.
func (d *Detector) confidence(c *candidate, end time.Time) float64 {
	sure := 0.9
	if !c.fact.Warm(end, d.cfg.WarmUp) {
		sure -= 0.45
	}
	if c.fact.CommonNetwork() {
		sure -= 0.25
	}
	if c.caller() == "peer" || c.unanswered() {
		sure -= 0.2
	}
	if c.rule == ruleCoverage || !c.External() {
		sure -= 0.15
	}
	return max(0.1, sure)
}

// unanswered tells whether most of the calls were in vain.
func (c *candidate) unanswered() bool { return c.Established*2 < c.Calls }

// caller is the end that calls: who opens the sessions, or who has no service there.
func (c *candidate) caller() string {
	switch {
	case c.Initiator != "":
		return c.Initiator
	case c.Serves:
		return "peer"
	default:
		return "asset"
	}
}

func techniques(c *candidate) []alert.Technique {
	web := []uint16{80, 443, 8080, 8443}
	switch {
	case c.Protocol == flow.ProtocolUDP && c.Port == 53:
		return []alert.Technique{detect.DNS, detect.ApplicationLayerProtocol}
	case slices.Contains(web, c.Port):
		return []alert.Technique{detect.WebProtocols, detect.EncryptedChannel}
	default:
		return []alert.Technique{detect.ApplicationLayerProtocol, detect.EncryptedChannel}
	}
}

// measures are the numbers behind the finding.
func (c *candidate) measures() []alert.Measure {
	var all []alert.Measure
	if c.rule == ruleBeat {
		r := &c.rhythm
		all = append(all,
			alert.Measure{Name: "intervals between " + shortSpan(r.Low) + " and " + shortSpan(r.High), Observed: float64(r.Inside),
				Expected: math.Round(r.Chance * float64(r.Intervals)), Unit: "intervals", Rarity: math.Exp(r.LogP)},
			alert.Measure{Name: "time from call to call", Observed: r.Median.Seconds(), Unit: "seconds"})
	} else {
		all = append(all,
			alert.Measure{Name: "hours with a call", Observed: float64(c.coverage.Hours), Expected: float64(c.coverage.Of) * (1 - math.Exp(-c.coverage.Mean)), Unit: "hours"},
			alert.Measure{Name: "variation of the calls of an hour", Observed: c.coverage.Variation, Expected: 1 / math.Sqrt(c.coverage.Mean), Rarity: math.Exp(c.coverage.LogP)})
	}
	if even, ok := c.evenness(); ok {
		all = append(all, alert.Measure{Name: "variation of the bytes of a call", Observed: even})
	}
	return append(all, alert.Measure{Name: "systems that talk with the peer", Observed: float64(c.fact.Hosts), Expected: float64(c.fact.Of), Unit: "hosts"})
}

// evenness is how little the sizes of the calls vary: their MAD by their median, 0 for
// all the same.
func (c *candidate) evenness() (float64, bool) {
	var sizes []float64
	for _, call := range c.calls {
		sizes = append(sizes, float64(call.bytes))
	}
	median := baseline.Median(sizes)
	if len(sizes) < fewest || median <= 0 {
		return 0, false
	}
	return baseline.MAD(sizes) / median, true
}
