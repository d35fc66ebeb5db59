package inventory

import (
	"fmt"
	"slices"
	"strings"
)

// explained is the most near misses that Explain tells.
const explained = 3

// miss is how far a rule is from allowing a conversation: the lower the cost, the
// nearer.
type miss struct {
	cost    int
	reasons []string
}

func (m *miss) add(cost int, format string, args ...any) {
	m.cost += cost
	m.reasons = append(m.reasons, fmt.Sprintf(format, args...))
}

// What makes a rule miss, by how near it leaves the rule. Time is nearest: the
// people and the systems are right. A wrong end is far.
const (
	costTime      = 1
	costPort      = 2
	costProtocol  = 3
	costInitiator = 4
	costEnd       = 10
	costReversed  = 11
)

// Explain says in words which rules come nearest to allowing a conversation that
// is refused, and what each one wants: at most three, the nearest first. Rules that
// join only one of the ends are told where none joins both. It is one line if no
// rule has to do with either end, and nothing if the conversation is allowed.
func (v *Inventory) Explain(c Conversation) []string {
	if _, ok := v.Allowed(c); ok {
		return nil
	}
	client, server := v.party(c.Client), v.party(c.Server)
	type line struct {
		cost int
		text string
	}
	var lines []line
	for i := range v.Allow {
		r := &v.Allow[i]
		if m, near := r.miss(&c, &client, &server); near {
			lines = append(lines, line{m.cost, "rule " + r.Name + " " + strings.Join(m.reasons, "; it ")})
		}
	}
	if len(lines) == 0 {
		return []string{fmt.Sprintf("no allow rule is about %s or %s", client.name(), server.name())}
	}
	slices.SortStableFunc(lines, func(a, b line) int { return a.cost - b.cost })
	var texts []string
	for _, l := range lines[:min(explained, len(lines))] {
		if lines[0].cost < costEnd && l.cost >= costEnd {
			break // rules for other ends are noise beside one for these
		}
		texts = append(texts, l.text)
	}
	return texts
}

// miss tells why the rule does not allow the conversation; near is false where
// the rule has to do with neither end.
func (r *Rule) miss(c *Conversation, client, server *party) (m miss, near bool) {
	if !r.missEnds(&m, c, client, server) {
		return miss{}, false
	}
	if !r.coversProtocol(c.Protocol) {
		m.add(costProtocol, "allows %s, not %s", r.protocolText(), conversationText(c))
	} else if !r.coversPort(c.Port) {
		m.add(costPort, "allows %s, not %d", r.portsText(), c.Port)
	}
	if r.ended(c.At) {
		m.add(costTime, "ended %s", r.lastDay())
	} else if !r.Schedule.Contains(c.At) {
		m.add(costTime, "holds %s, and it was %s", r.Schedule, r.Schedule.localText(c.At))
	}
	return m, true
}

// missEnds adds what is wrong with the ends; false if neither is the rule's.
func (r *Rule) missEnds(m *miss, c *Conversation, client, server *party) bool {
	if r.joins(client, server, c.InitiatorKnown) {
		return true
	}
	if anyMatches(r.From, server) && anyMatches(r.To, client) {
		m.add(costInitiator, "lets only %s open it, and %s did", selectorsText(r.From), client.name())
		return true
	}
	switch {
	case names(r.To, server):
		m.add(costEnd, "lets only %s reach %s, not %s", selectorsText(r.From), server.name(), client.name())
	case names(r.From, client):
		m.add(costEnd, "lets %s reach only %s, not %s", client.name(), selectorsText(r.To), server.name())
	case c.InitiatorKnown && !r.EitherInitiates:
		return false
	case names(r.To, client):
		m.add(costReversed, "joins %s only with %s, not %s", client.name(), selectorsText(r.From), server.name())
	case names(r.From, server):
		m.add(costReversed, "joins %s only with %s, not %s", server.name(), selectorsText(r.To), client.name())
	default:
		return false
	}
	return true
}

// names tells whether a selector other than any selects the party.
func names(selectors []Selector, p *party) bool {
	for i := range selectors {
		if selectors[i].by != byAny && selectors[i].matches(p) {
			return true
		}
	}
	return false
}

// selectorsText gives "role:poi", "role:mdf2 or role:mdf3".
func selectorsText(selectors []Selector) string {
	texts := make([]string, len(selectors))
	for i, s := range selectors {
		texts[i] = s.String()
	}
	return strings.Join(texts, " or ")
}
