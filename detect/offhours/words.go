package offhours

import (
	"fmt"
	"net/netip"
	"strings"

	"tapwatch/detect"
)

// name is what people call the source.
func (v *visit) name() string {
	if v.end.Name != "" {
		return v.end.Name
	}
	return v.addr.String()
}

// short is deed for a title: who opened what to which system.
func short(v *visit) string {
	c := &v.all[0]
	asked := c.Asset()
	if c.AsAsked().Server != asked.Addr {
		asked = c.Peer()
	}
	text := fmt.Sprintf("%s opened %s to %s", detect.PeerText(detect.PartyOf(&v.end, v.addr)), detect.Service(c.Protocol, c.Port), asked.Name())
	if asked.Zone != "" {
		text += " of " + asked.Zone
	}
	return text + others(v)
}

// deed says what the source opened, without a full stop.
func deed(v *visit) string { return v.all[0].Deed() + others(v) }

// others counts the systems beyond the first that the source opened sessions to.
func others(v *visit) string {
	targets := map[netip.Addr]bool{}
	for i := range v.all {
		targets[v.all[i].AsAsked().Server] = true
	}
	if n := len(targets) - 1; n > 0 {
		return " and to " + detect.Count(uint64(n), "other system")
	}
	return ""
}

// clock is when the conversation began, by the clocks of those who work.
func (d *Detector) clock(c *detect.Conversation) string {
	return c.At().In(d.calendar.location).Format("15:04 MST on Monday, 2 January")
}

// kind says of what days a slot is.
func (d *Detector) kind(s slot) string {
	if s.free {
		return "of weekends and holidays"
	}
	return "of working days"
}

// reasons say why the hour is unusual, the strongest first.
func (d *Detector) reasons(v *visit) []string {
	j, c := &v.verdict, &v.all[0]
	return []string{
		fmt.Sprintf("%d of %d sessions in the %s before began around %02d:00 %s; unusual is what is below %.3g %%", j.inSlot, j.all,
			detect.Duration(d.cfg.History), j.slot.hour, d.kind(j.slot), 100*d.cfg.Rare),
		fmt.Sprintf("on %d of %d such days it was seen around this hour", j.slotDays, j.likeDays),
		fmt.Sprintf("hours that are as rare for it hold %.2g %% of its sessions", 100*j.rarity),
		fmt.Sprintf("with so much history this is sure to %.0f %%: it grows with every day that is watched", 100*j.confidence),
		fmt.Sprintf("of all sources together, %.2g surprise in a day; from one a week on this is a low alert", v.perDay),
		c.EvidenceText(), c.OpenedText(),
	}
}

func list(names []string) string { return strings.Join(names, ", ") }
