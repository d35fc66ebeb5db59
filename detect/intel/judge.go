package intel

import (
	"slices"

	"tapwatch/alert"
	"tapwatch/detect"
	"tapwatch/flow"
)

// hit is a conversation of a protected system with a listed address, or an attempt of it.
type hit struct {
	*detect.Conversation
	rule      string
	indicator string // list:prefix
	entry     *entryRow
	// bytes is how much went either way in the last day, or in all the past that was
	// matched.
	bytes    uint64
	heavy    bool
	severity alert.Severity
	// turned says that the flows are stored under the other end: both are ours.
	turned bool
}

// listedPeer makes the listed end the peer. Where only our own address is listed
// and the other end is nobody's business, it stays as it is.
func listedPeer(c detect.Conversation, protected []string) detect.Conversation {
	if c.PeerIntel == "" && slices.Contains(protected, c.PeerZone) {
		return c.Turned()
	}
	return c
}

// judge tells which rule the conversation breaks.
func judge(c *detect.Conversation) string {
	switch {
	case c.Established:
		return ruleConversation
	case c.AssetTried, c.Initiator == "asset":
		return ruleContact
	default:
		return ruleProbe
	}
}

// lowConfidence is below what STIX 2.1 (appendix A) calls medium.
const lowConfidence = 30

// grade gives a hit its severity: by the role of the system, by who opened what was
// established, by how sure the list is, and by how much went over.
func (h *hit) grade() {
	ours := h.Initiator == "asset"
	kind := flow.ZoneLawfulIntercept
	switch {
	case h.AssetZoneKind == kind:
		h.severity = alert.Critical
	case h.Established && ours:
		h.severity = alert.Critical
	default:
		h.severity = alert.High
	}
	known := detect.End{Kind: h.AssetZoneKind}
	if !known.Protected() { // a zone that is watched, but of no kind with a meaning
		h.severity--
	}
	if c := h.entry.Confidence; c > 0 && c < lowConfidence {
		h.severity--
	}
	if h.heavy && h.severity < alert.Critical {
		h.severity++
	}
}

// confidence is how sure it is that a listed address took part, from 0 to 1: what the
// list says of itself, less where only one side was seen.
func (h *hit) confidence() float64 {
	c := float64(h.entry.Confidence) / 100
	if h.entry.Confidence == 0 {
		c = 0.6 // not said
	}
	switch {
	case !h.Established:
		c *= 0.8
	case !h.Answered:
		c *= 0.9
	}
	return c
}

// measures are the numbers of a hit.
func (h *hit) measures(what string) []alert.Measure {
	all := []alert.Measure{
		{Name: "exchanged with a listed address " + what, Observed: float64(h.bytes), Unit: "bytes"},
		{Name: "sessions with a listed address", Observed: float64(h.Sessions), Unit: "sessions"},
	}
	if h.entry.Confidence > 0 {
		all = append(all, alert.Measure{Name: "confidence of the list, of 100", Observed: float64(h.entry.Confidence)})
	}
	return all
}
