package detect

import (
	_ "embed"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"tapwatch/alert"
	"tapwatch/flow"
	"tapwatch/inventory"
)

//go:embed evidence.sql
var evidenceSQL string

// Finding is the part of a finding that every detector says the same way about a
// conversation. Rule, ID, severity and the texts are left to the detector.
func (c *Conversation) Finding(detector string, w Window, inv *inventory.Inventory) alert.Finding {
	f := alert.Finding{
		Detector:     detector,
		WindowStart:  w.Start,
		WindowEnd:    w.End,
		FirstSeen:    c.FirstSeen,
		LastSeen:     c.LastSeen,
		SQL:          c.SQL(w),
		Asset:        c.Asset(),
		Peer:         c.Peer(),
		Initiator:    c.Initiator,
		Protocol:     c.Protocol,
		Port:         c.Port,
		Flows:        c.Flows,
		BytesToAsset: c.BytesIn,
		BytesToPeer:  c.BytesOut,
		Packets:      c.Packets,
		Quality:      c.quality(inv.ExporterName),
		Exporters:    []string{},
		Measures:     []alert.Measure{},
	}
	for _, addr := range c.Exporters {
		f.Exporters = append(f.Exporters, ExporterText(addr, inv.ExporterName))
	}
	slices.Sort(f.Exporters)
	for _, s := range c.Sightings {
		f.Sightings = append(f.Sightings, alert.Sighting{
			Exporter: ExporterText(s.Exporter, inv.ExporterName), Sampling: s.Sampling,
			Flows: s.Flows, BytesToAsset: s.BytesIn, BytesToPeer: s.BytesOut, Packets: s.Packets,
		})
	}
	return f
}

// Identity hashes what tells the alerts of one detector's rule about
// conversations apart: the ends by name where they have one, protocol, port and
// initiator.
func (c *Conversation) Identity(detector, rule string) string {
	return alert.Identity(detector, rule, c.Asset().Name(), c.PeerAddr.String(),
		strconv.Itoa(int(c.Protocol)), strconv.Itoa(int(c.Port)), c.Initiator)
}

// SQL is the query that shows the conversation's records in the window.
func (c *Conversation) SQL(w Window) string {
	out, in := c.portConditions()
	which := strings.NewReplacer(
		"{a}", c.AssetAddr.String(),
		"{b}", c.PeerAddr.String(),
		"{protocol}", strconv.Itoa(int(c.Protocol)),
		"{a_to_b}", out,
		"{b_to_a}", in,
	).Replace(`protocol = {protocol}
    AND ((src_addr = toIPv6('{a}') AND dst_addr = toIPv6('{b}'){a_to_b})
        OR (src_addr = toIPv6('{b}') AND dst_addr = toIPv6('{a}'){b_to_a}))`)
	return EvidenceSQL(w, fmt.Sprintf("The flow records between %s and %s", c.AssetAddr, c.PeerAddr), which)
}

// EvidenceSQL is the query that shows the watched flow records of the window for
// which the condition which holds. Its comment says what it is about.
func EvidenceSQL(w Window, about, which string) string {
	return strings.NewReplacer(
		"{about}", strings.NewReplacer("*/", " ", "\n", " ").Replace(about), // it stands in a comment
		"{which}", which,
		"{since}", SQLTime(w.Start),
		"{until}", SQLTime(w.End),
	).Replace(evidenceSQL)
}

// portConditions are the conditions on ports of what the asset sent and of what it
// received.
func (c *Conversation) portConditions() (out, in string) {
	if c.Port == 0 {
		return "", ""
	}
	src, dst := fmt.Sprintf("src_port = %d", c.Port), fmt.Sprintf("dst_port = %d", c.Port)
	switch {
	case c.Initiator == "":
		either := " AND (" + src + " OR " + dst + ")"
		return either, either
	case c.AssetServes:
		return " AND " + src, " AND " + dst
	default:
		return " AND " + dst, " AND " + src
	}
}

// SQLTime writes a moment as toDateTime64(…, 3, 'UTC') reads it.
func SQLTime(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05.000") }

// SQLString writes a string literal of ClickHouse, quotes included.
func SQLString(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s) + "'"
}

// quality says what speaks against trusting the numbers. The texts hold no
// figures of the window, so that those of many windows fold into few.
func (c *Conversation) quality(name func(netip.Addr) string) []string {
	notes := []string{}
	for _, addr := range c.Unsampled {
		notes = append(notes, ExporterText(addr, name)+" has not said its sampling interval: its amounts are as exported and may be too low")
	}
	if c.Sampling > 1 {
		notes = append(notes, fmt.Sprintf("packets are sampled, 1 of %d: amounts are estimates", c.Sampling))
	}
	if !c.Answered && c.Established {
		notes = append(notes, "only one direction was exported: it is not known what the other end answered")
	}
	slices.Sort(notes)
	return notes
}

// EvidenceText says by what the flows show more than an attempt.
func (c *Conversation) EvidenceText() string {
	var amounts []string
	if c.BytesIn > 0 {
		amounts = append(amounts, Bytes(c.BytesIn)+" to "+c.Asset().Name())
	}
	if c.BytesOut > 0 {
		amounts = append(amounts, Bytes(c.BytesOut)+" from it")
	}
	seen := "; most recently " + strings.Join(amounts, " and ") + ", in " + Count(c.Flows, "flow")
	switch {
	case c.Answered:
		return "both sides took part" + seen
	case c.Protocol == flow.ProtocolTCP:
		return "data was carried, though only one direction was exported" + seen
	default:
		return "traffic was sent and no answer seen" + seen
	}
}

// OpenedText says who opened the conversation, and when the latest session began.
func (c *Conversation) OpenedText() string {
	since := "; by the routers' clocks its latest session began at " + Clock(c.At())
	switch c.Initiator {
	case "peer":
		return "opened by " + c.Peer().Name() + since
	case "asset":
		return "opened by " + c.Asset().Name() + ", the protected end, itself" + since
	default:
		return "the flows do not tell who opened it" + since
	}
}
