package firstseen

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strconv"

	"tapwatch/alert"
	"tapwatch/detect"
	"tapwatch/inventory"
)

// hit is a contact that is unusual enough.
type hit struct {
	*contact
	verdict verdict
}

func (h *hit) rule() string {
	if h.verdict.newNetwork {
		return ruleNetwork
	}
	return ruleFirst
}

// opener is who opened it, asked the other end with the service.
func (h *hit) opener() netip.Addr {
	if h.Initiator == "asset" {
		return h.AssetAddr
	}
	return h.PeerAddr
}

func (h *hit) asked() netip.Addr {
	if h.Initiator == "asset" {
		return h.PeerAddr
	}
	return h.AssetAddr
}

// findings puts the hits into words. What one source opened, or what was opened to one
// system, beyond Config.MaxPerEnd is one finding.
func (d *Detector) findings(ctx context.Context, w detect.Window, h detect.History, hits []hit) ([]alert.Finding, error) {
	if len(hits) == 0 {
		return nil, nil
	}
	inv := d.inventory()
	wanted := map[pair]bool{}
	for i := range hits {
		wanted[pairOf(hits[i].AssetAddr, hits[i].PeerAddr)] = true
	}
	seen, err := detect.Conversations(ctx, h, detect.ConversationQuery{
		Window: w,
		Filter: func(s *detect.Session) bool { return wanted[pairOf(s.AssetAddr, s.PeerAddr)] },
	})
	if err != nil {
		return nil, err
	}
	var findings []alert.Finding
	for _, f := range d.crowds(hits) {
		if f.end.IsValid() {
			findings = append(findings, d.crowd(f, seen, w, inv))
			continue
		}
		for i := range f.hits {
			findings = append(findings, d.finding(&f.hits[i], seen, w, inv))
		}
	}
	return detect.Merge(findings), nil
}

// pair is two addresses, whichever is the asset.
type pair [2]netip.Addr

func pairOf(a, b netip.Addr) pair {
	if b.Less(a) {
		a, b = b, a
	}
	return pair{a, b}
}

// crowd is the hits of one end, or, without an end, those that stay on their own.
type crowd struct {
	end  netip.Addr
	hits []hit
}

// crowds gathers the hits of ends that have too many: first of who opened them, then of
// who was asked.
func (d *Detector) crowds(hits []hit) []crowd {
	var all []crowd
	for _, of := range []func(*hit) netip.Addr{(*hit).opener, (*hit).asked} {
		by := map[netip.Addr][]hit{}
		for _, h := range hits {
			by[of(&h)] = append(by[of(&h)], h)
		}
		var rest []hit
		for _, h := range hits {
			switch some := by[of(&h)]; {
			case len(some) <= d.cfg.MaxPerEnd:
				rest = append(rest, h)
			case h == some[0]:
				all = append(all, crowd{of(&h), some})
			}
		}
		hits = rest
	}
	return append(all, crowd{hits: hits})
}

// base is the part of the finding that every detector says the same way.
func (d *Detector) base(h *hit, seen []detect.Conversation, w detect.Window, inv *inventory.Inventory) (alert.Finding, *detect.Conversation) {
	own := h.conversation()
	c := &own
	for i := range seen {
		if x := &seen[i]; pairOf(x.AssetAddr, x.PeerAddr) == pairOf(h.AssetAddr, h.PeerAddr) && x.Protocol == h.Protocol && x.Port == h.Port &&
			x.AsAsked().Client == h.opener() {
			c = x
			break
		}
	}
	f := c.Finding(Name, w, inv)
	f.Rule = h.rule()
	f.ID = alert.Identity(Name, f.Rule, c.Asset().Name(), d.who(h, c), strconv.Itoa(int(h.Protocol)), strconv.Itoa(int(h.Port)), c.Initiator)
	f.Confidence = confidence(h.verdict.total)
	f.Severity = detect.Grade(severity(h), c.AssetZoneKind, c.AssetRole, f.Confidence)
	f.Measures = measures(&h.verdict)
	f.Techniques = techniques(h, c)
	return f, c
}

// who is the peer in an identity: neighbours outside are interchangeable.
func (d *Detector) who(h *hit, c *detect.Conversation) string {
	if c.PeerZone == "" && c.PeerASN != 0 {
		return h.group().text()
	}
	return c.PeerAddr.String()
}

// confidence grows with the score: 0.5 at 0.6, 0.73 at 0.75, 0.97 at 1.1.
func confidence(total float64) float64 { return 1 / (1 + math.Exp(-(total-0.6)*7)) }

// severity is high where somebody new administers something, or comes from outside to.
func severity(h *hit) alert.Severity {
	if h.verdict.management && h.verdict.near == stranger {
		return alert.High
	}
	return alert.Medium
}

func techniques(h *hit, c *detect.Conversation) []alert.Technique {
	switch {
	case h.rule() == ruleNetwork && c.Initiator == "asset":
		return []alert.Technique{detect.ApplicationLayerProtocol, detect.VirtualPrivateServer}
	case c.PeerZone == "":
		return []alert.Technique{detect.ValidAccounts, detect.ExternalRemoteServices}
	default:
		return []alert.Technique{detect.ValidAccounts, detect.RemoteServices}
	}
}

func measures(v *verdict) []alert.Measure {
	return []alert.Measure{
		{Name: "score of the first contact", Observed: v.total, Expected: 0},
		{Name: "systems of the zone that knew the peer's kind", Observed: float64(v.hosts), Expected: float64(v.of), Unit: "hosts",
			Rarity: (float64(v.hosts) + 1) / (float64(v.of) + 2)},
		{Name: "days on which the zone met somebody as new", Observed: 1, Expected: (float64(v.days) + 0.5) / (float64(v.watched) + 1), Unit: "days",
			Rarity: (float64(v.days) + 0.5) / (float64(v.watched) + 1)},
	}
}

// finding puts one contact into words.
func (d *Detector) finding(h *hit, seen []detect.Conversation, w detect.Window, inv *inventory.Inventory) alert.Finding {
	f, c := d.base(h, seen, w, inv)
	since := detect.Duration(d.cfg.History)
	f.Title = c.Deed() + ", first time in " + since
	if h.rule() == ruleNetwork {
		f.Title = c.Deed() + ": a network new to " + h.AssetZone
	}
	f.Summary = fmt.Sprintf("%s, in %s: %s to %s and %s from it, %s. %s", c.Deed(), detect.Count(max(c.Sessions, 1), "session"),
		detect.Bytes(c.BytesIn), c.Asset().Name(), detect.Bytes(c.BytesOut), detect.Span(c.FirstSeen, c.LastSeen), d.news(h))
	f.Reasons = d.reasons(h, c)
	f.NextSteps = nextSteps(h, c)
	return f
}

// crowd puts the contacts of one end into words. The first stands for the ends.
func (d *Detector) crowd(crowd crowd, seen []detect.Conversation, w detect.Window, inv *inventory.Inventory) alert.Finding {
	hits := crowd.hits
	worst := slices.MaxFunc(hits, func(a, b hit) int { return cmp.Compare(a.verdict.total, b.verdict.total) })
	f, c := d.base(&worst, seen, w, inv)
	opener := worst.opener() == crowd.end
	counted := map[*detect.Conversation]bool{c: true}
	others := map[netip.Addr]bool{}
	for i := range hits {
		one, x := d.base(&hits[i], seen, w, inv)
		if !counted[x] {
			counted[x] = true
			detect.Add(&f, &one)
		}
		if opener {
			others[hits[i].asked()] = true
		} else {
			others[hits[i].opener()] = true
		}
	}
	end, other := c.Asset(), c.Peer()
	if end.Addr != crowd.end {
		end, other = other, end
	}
	f.ID = alert.Identity(Name, f.Rule, "crowd", crowd.end.String(), strconv.FormatBool(opener))
	n := detect.Count(uint64(len(others)), "system")
	if opener {
		f.Title = fmt.Sprintf("%s opened sessions to %s for the first time in %s, all within an hour", detect.PeerText(end), n, detect.Duration(d.cfg.History))
	} else {
		f.Title = fmt.Sprintf("%s had sessions opened to it by %s for the first time in %s, all within an hour", detect.PeerText(end), n, detect.Duration(d.cfg.History))
	}
	f.Summary = fmt.Sprintf("%s. The most unusual is that with %s: %s One alert stands for all of them.", f.Title, detect.PeerText(other), d.news(&worst))
	f.Reasons = append([]string{fmt.Sprintf("%d first contacts with %s in one hour; what follows is about the most unusual", len(hits), n)}, d.reasons(&worst, c)...)
	f.NextSteps = nextSteps(&worst, c)
	f.SQL = detect.EvidenceSQL(w, "What "+crowd.end.String()+" exchanged with protected systems",
		fmt.Sprintf("(src_addr = toIPv6('%[1]s') OR dst_addr = toIPv6('%[1]s'))", crowd.end))
	return f
}
