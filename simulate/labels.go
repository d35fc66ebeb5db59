package simulate

import (
	"encoding/json"
	"fmt"
	"io"
	"net/netip"
	"time"

	"tapwatch/simulate/scenario"
)

// Label is the ground truth about one intrusion within a span of stream time.
type Label struct {
	ID          string   `json:"id"`
	Description string   `json:"description"`
	Actors      []string `json:"actors"`
	Asset       string   `json:"asset"`
	Detectors   []string `json:"detectors"`
	Tradecraft  []string `json:"tradecraft"`
	Techniques  []string `json:"techniques"`
	// Start and End bound what follows.
	Start time.Time `json:"start"`
	End   time.Time `json:"end"`
	// Conversations are the intruder's, Silences the routers kept from exporting.
	Conversations []LabelledConversation `json:"conversations,omitempty"`
	Silences      []LabelledSilence      `json:"silences,omitempty"`
}

// LabelledConversation is one conversation of an intrusion. Ports are 0 where the
// protocol has none.
type LabelledConversation struct {
	Client     netip.Addr `json:"client"`
	ClientPort uint16     `json:"client_port"`
	Server     netip.Addr `json:"server"`
	ServerPort uint16     `json:"server_port"`
	Protocol   uint8      `json:"protocol"`
	Start      time.Time  `json:"start"`
	End        time.Time  `json:"end"`
}

// LabelledSilence is a router that exports nothing for a while. A zero End is
// never.
type LabelledSilence struct {
	Router  string     `json:"router"`
	Address netip.Addr `json:"address"`
	Start   time.Time  `json:"start"`
	End     time.Time  `json:"end"`
}

// answerDelay is how much later than the client's packets the answers may end.
const answerDelay = time.Second

// Covers tells whether a flow between the two ends, active at the given time, is
// of the conversation.
func (c *LabelledConversation) Covers(src, dst netip.AddrPort, protocol uint8, at time.Time) bool {
	client, server := netip.AddrPortFrom(c.Client, c.ClientPort), netip.AddrPortFrom(c.Server, c.ServerPort)
	return protocol == c.Protocol && (src == client && dst == server || src == server && dst == client) &&
		!at.Before(c.Start) && !at.After(c.End.Add(answerDelay))
}

// Labels are the intrusions of the plan that do something in [from, to), each with
// what it does there. To must not be zero.
func (n *Network) Labels(from, to time.Time) []Label {
	var all []Label
	next := 0
	for _, in := range n.cfg.Plan {
		l := newLabel(in)
		for range in.Steps {
			n.labelStep(&l, &n.steps[next], from, to)
			next++
		}
		if len(l.Conversations)+len(l.Silences) > 0 {
			all = append(all, l)
		}
	}
	return all
}

func newLabel(in scenario.Intrusion) Label {
	return Label{
		ID: in.ID, Description: in.Description, Actors: in.Actors, Asset: in.Asset,
		Detectors: in.Detectors, Tradecraft: in.Tradecraft, Techniques: in.Techniques,
	}
}

// labelStep adds what a step does in [from, to).
func (n *Network) labelStep(l *Label, s *step, from, to time.Time) {
	for i := s.earliest(from.UnixMilli()); i < s.Repetitions(); i++ {
		start := time.UnixMilli(s.beginning(i)).UTC()
		end := start.Add(s.For)
		if !start.Before(to) {
			return
		}
		forGood := s.Silence != "" && s.For == 0
		if !end.After(from) && !forGood {
			continue
		}
		l.span(start, end)
		if s.Silence != "" {
			silence := LabelledSilence{Router: s.Silence, Address: n.routers[s.router].Address, Start: start}
			if !forGood {
				silence.End = end
			}
			l.Silences = append(l.Silences, silence)
			continue
		}
		client, server := s.ports(i)
		l.Conversations = append(l.Conversations, LabelledConversation{
			Client: s.client, ClientPort: client, Server: s.server, ServerPort: server,
			Protocol: s.Protocol, Start: start, End: end,
		})
	}
}

// span widens the label to hold [start, end].
func (l *Label) span(start, end time.Time) {
	if l.Start.IsZero() || start.Before(l.Start) {
		l.Start = start
	}
	if end.After(l.End) {
		l.End = end
	}
}

// WriteLabels writes the labels of [from, to) as indented JSON.
func (n *Network) WriteLabels(w io.Writer, from, to time.Time) error {
	labels := n.Labels(from, to)
	if labels == nil {
		labels = []Label{}
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	if err := e.Encode(labels); err != nil {
		return fmt.Errorf("write labels: %w", err)
	}
	return nil
}
