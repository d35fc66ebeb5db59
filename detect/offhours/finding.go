package offhours

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"slices"

	"tapwatch/alert"
	"tapwatch/detect"
	"tapwatch/flow"
)

// sourceName is a source as the queries name it: its asset, or its address as
// ClickHouse writes it.
func sourceName(e *detect.End, addr netip.Addr) string {
	switch {
	case e.Name != "":
		return e.Name
	case addr.Is4():
		return "::ffff:" + addr.String()
	default:
		return addr.String()
	}
}

// visit is what an unusual source did in the window.
type visit struct {
	source  string
	addr    netip.Addr
	end     detect.End
	verdict judgement
	// perDay is how many such surprises all sources together make in a day.
	perDay float64
	all    []detect.Conversation
}

// crewSize is how many sources of one zone at once are a crew at work.
const crewSize = 3

// findings puts what the unusual sources opened into words.
func (d *Detector) findings(ctx context.Context, w detect.Window, h detect.History, unusual map[string]judgement, perDay float64) ([]alert.Finding, error) {
	sessions, err := h.Sessions(ctx, w)
	if err != nil {
		return nil, err
	}
	visits := d.visits(sessions, unusual)
	byZone := map[string][]*visit{}
	for _, v := range visits {
		v.perDay = perDay
		byZone[v.end.Zone] = append(byZone[v.end.Zone], v)
	}
	var findings []alert.Finding
	for _, v := range visits {
		crew := byZone[v.end.Zone]
		switch {
		case v.end.Zone == "" || len(crew) < crewSize:
			findings = append(findings, d.finding(v, w))
		case v == crew[0]:
			findings = append(findings, d.crew(crew, w))
		}
	}
	return findings, nil
}

// visits are what each unusual source opened, by source.
func (d *Detector) visits(sessions []detect.Session, unusual map[string]judgement) []*visit {
	index := map[string]*visit{}
	var all []*visit
	for i := range sessions {
		s := &sessions[i]
		source, ok := d.opened(s)
		verdict, hit := unusual[source]
		if !ok || !hit || index[source] != nil {
			continue
		}
		v := &visit{source: source, addr: s.PeerAddr, end: s.Peer, verdict: verdict}
		if s.Initiator == "asset" {
			v.addr, v.end = s.AssetAddr, s.Asset
		}
		index[source] = v
		if !d.calendar.expected(v.addr, v.end.Name, v.end.Zone, s.FirstSeen) {
			all = append(all, v)
		}
	}
	for _, v := range all {
		v.all = detect.Converse(sessions, func(s *detect.Session) bool {
			source, ok := d.opened(s)
			return ok && source == v.source
		}, false)
		slices.SortStableFunc(v.all, func(a, b detect.Conversation) int {
			return cmp.Or(-cmp.Compare(rank(&a), rank(&b)), -cmp.Compare(a.BytesIn+a.BytesOut, b.BytesIn+b.BytesOut))
		})
	}
	slices.SortFunc(all, func(a, b *visit) int { return cmp.Compare(a.source, b.source) })
	return all
}

// rank puts lawful-intercept systems first.
func rank(c *detect.Conversation) int {
	if c.AssetZoneKind == flow.ZoneLawfulIntercept || c.PeerZoneKind == flow.ZoneLawfulIntercept {
		return 1
	}
	return 0
}

// finding puts the visit of one source into words.
func (d *Detector) finding(v *visit, w detect.Window) alert.Finding {
	f := d.base(v, w)
	f.Rule, f.ID = ruleSource, alert.Identity(Name, ruleSource, v.source)
	top := &v.all[0]
	j := &v.verdict
	f.Title = fmt.Sprintf("%s at %s, when it hardly ever works", short(v), d.clock(top))
	f.Summary = fmt.Sprintf("%s at %s. Of the %d sessions that %s opened in the %s before, %d began around this hour %s, and it was seen then on %d of %d such days. A stolen login looks like its owner's in all but the time.",
		deed(v), d.clock(top), j.all, v.name(), detect.Duration(d.cfg.History), j.inSlot, d.kind(j.slot), j.slotDays, j.likeDays)
	f.Reasons = d.reasons(v)
	f.NextSteps = []string{
		fmt.Sprintf("Call the person whose login it is, or the one on call for %s, and ask whether it was them. Use the phone: mail and chat may be read.", v.name()),
		fmt.Sprintf("Look who was logged in to %s then, and from where, in the log server's copy of its log.", v.name()),
		"Save the flow records before anything else: run the query of this alert and keep its output with the ticket.",
		fmt.Sprintf("If it was nobody, treat the login as stolen: close its sessions, lock the account, and look what was done on %s.", top.Asset().Name()),
		"If it was planned, enter a maintenance window for the next time; for people on call, enter them under detect.offhours.on_call.",
	}
	return f
}

// crew puts several sources of one zone at one unusual hour into words.
func (d *Detector) crew(crew []*visit, w detect.Window) alert.Finding {
	f := d.base(crew[0], w)
	var names, reasons []string
	for i, v := range crew {
		if i > 0 {
			one := d.base(v, w)
			detect.Add(&f, &one)
			f.SQL = detect.EvidenceSQL(w, "What systems of "+v.end.Zone+" opened", fmt.Sprintf("(src_zone = %[1]s OR dst_zone = %[1]s)", detect.SQLString(v.end.Zone)))
			f.Confidence = min(f.Confidence, one.Confidence)
		}
		if i < 5 {
			names = append(names, v.name())
			reasons = append(reasons, fmt.Sprintf("%s: %d of %d sessions around this hour %s before", v.name(), v.verdict.inSlot, v.verdict.all, d.kind(v.verdict.slot)))
		}
	}
	zone := crew[0].end.Zone
	f.Rule, f.ID = ruleCrew, alert.Identity(Name, ruleCrew, zone)
	f.Title = fmt.Sprintf("%d systems of %s administer protected systems at %s, an hour at which none of them works", len(crew), zone, d.clock(&crew[0].all[0]))
	f.Summary = fmt.Sprintf("%s. Several people at once at night are most often a crew that mends something; one alert stands for all of them.", f.Title)
	f.Reasons = append([]string{fmt.Sprintf("%d sources of %s in one hour, each at an hour that is unusual for it: %s", len(crew), zone, list(names))}, reasons...)
	f.NextSteps = []string{
		"Ask the shift lead whether an outage is being worked on. Use the phone: mail and chat may be read.",
		"If nobody knows of one, take each of these systems for one whose login was stolen: look who is logged in there, and from where.",
		"If it was planned, enter a maintenance window for the next time.",
	}
	return f
}

// often is from how many surprises a day on, of all sources together, one more is worth
// no more than a low alert: one a week.
const often = 1.0 / 7

// base is what both have in common.
func (d *Detector) base(v *visit, w detect.Window) alert.Finding {
	inv := d.inventory()
	top := &v.all[0]
	f := top.Finding(Name, w, inv)
	for i := range v.all[1:] {
		one := v.all[i+1].Finding(Name, w, inv)
		detect.Add(&f, &one)
		if one.Port != f.Port {
			f.Port = 0
		}
	}
	f.Confidence = v.verdict.confidence
	severity := alert.Low
	if f.Confidence >= 0.8 && v.perDay < often {
		severity = alert.Medium
	}
	f.Severity = detect.Grade(severity, top.AssetZoneKind, top.AssetRole, f.Confidence)
	j := &v.verdict
	f.Measures = []alert.Measure{
		{Name: "sessions of the source at such an hour", Observed: float64(top.Sessions), Expected: float64(j.inSlot) / float64(max(j.likeDays, 1)), Unit: "sessions", Rarity: j.rarity},
		{Name: "share of its sessions around this hour", Observed: float64(j.inSlot) / float64(j.all), Expected: d.cfg.Rare},
		{Name: "sources that surprise in a day", Observed: 1, Expected: v.perDay, Unit: "sources"},
	}
	f.SQL = detect.EvidenceSQL(w, "What "+v.addr.String()+" exchanged with protected systems",
		fmt.Sprintf("(src_addr = toIPv6('%[1]s') OR dst_addr = toIPv6('%[1]s'))", v.addr))
	f.Techniques = []alert.Technique{detect.ValidAccounts, detect.RemoteServices}
	return f
}
