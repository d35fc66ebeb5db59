package campaign

import (
	"testing"
	"time"

	"tapwatch/flow"
	"tapwatch/inventory"
)

// TestBackgroundIsAllowed holds that every habit of the background has an allow rule
// at each time at which it may happen, or is a tunnel that the inventory lists.
func TestBackgroundIsAllowed(t *testing.T) {
	cfg := DefaultConfig()
	cfg.Pairs = 1200
	for seed := range uint64(3) {
		cfg.Seed = seed
		c, err := New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		inv, err := inventory.Parse("campaign.yaml", c.Inventory())
		if err != nil {
			t.Fatal(err)
		}
		for _, list := range [][]habit{c.habits, c.plan.habits} {
			for i := range list {
				h := &list[i]
				if !flow.HasPorts(h.protocol) {
					if !inv.ExpectsTunnel(h.client.addr, h.server.addr, h.protocol) {
						t.Errorf("seed %d: no tunnel for %s", seed, h.name)
					}
					continue
				}
				for at := range int64(168) {
					ms := cfg.start() + at*hour + hour - 1
					if h.every == 0 && h.when.at(ms) == 0 {
						continue
					}
					conversation := inventory.Conversation{
						Client: h.client.addr, Server: h.server.addr, Protocol: h.protocol, Port: h.port, At: time.UnixMilli(ms), InitiatorKnown: true,
					}
					if _, ok := inv.Allowed(conversation); !ok {
						t.Fatalf("seed %d: %s is not allowed at %s: %s to %s port %d", seed, h.name, time.UnixMilli(ms).UTC(), h.client.addr, h.server.addr, h.port)
					}
				}
			}
		}
	}
}

// TestRateFollowsDayAndWeek holds that people's conversations come by day, batches at
// night, and both less often or not at all at weekends where they should.
func TestRateFollowsDayAndWeek(t *testing.T) {
	s := newShapes()
	monday := time.Date(2026, 9, 7, 0, 0, 0, 0, time.UTC).UnixMilli()
	count := func(when *shape) (byDay, byNight, atWeekend int) {
		h := &habit{perDay: 40, when: when}
		b := &beating{habit: h, d: newDice(1, "rate")}
		for at := b.begin(monday); at < monday+56*day; at = b.next(at) {
			switch d, hr := (at-monday)/day%7, (at-monday)/hour%24; {
			case d >= 5:
				atWeekend++
			case hr >= 7 && hr < 19:
				byDay++
			default:
				byNight++
			}
		}
		return byDay, byNight, atWeekend
	}
	if day, night, weekend := count(s.office[1]); day < 50*max(1, night) || weekend > 0 {
		t.Errorf("office: %d by day, %d by night, %d at weekends", day, night, weekend)
	}
	if day, night, _ := count(s.night); night < 10*day {
		t.Errorf("batch: %d by day, %d by night", day, night)
	}
	day, night, weekend := count(s.people)
	if day < night || weekend == 0 {
		t.Errorf("people: %d by day, %d by night, %d at weekends", day, night, weekend)
	}
	if total := day + night + weekend; total < 56*36 || total > 56*44 {
		t.Errorf("people: %d events in 56 days, want about %d", total, 56*40)
	}
}

// TestSplit holds that the parts of a long conversation add up to it.
func TestSplit(t *testing.T) {
	c := conversation{start: 5, duration: 3*longest + 7, protocol: tcp, toServer: volume{1000, 700_000}, toClient: volume{3, 150}}
	var sent, received volume
	start, parts := c.start, 0
	for rest, more := c, true; more; parts++ {
		var part conversation
		if part, rest, more = rest.split(); part.start != start || part.goesOn != more || part.begun != (parts > 0) {
			t.Errorf("part %d: %+v, more %t", parts, part, more)
		}
		start += part.duration
		sent.packets, sent.bytes = sent.packets+part.toServer.packets, sent.bytes+part.toServer.bytes
		received.packets, received.bytes = received.packets+part.toClient.packets, received.bytes+part.toClient.bytes
	}
	if parts != 4 || start != c.start+c.duration || sent != c.toServer || received != c.toClient {
		t.Errorf("%d parts to %d: %+v and %+v", parts, start, sent, received)
	}
}
