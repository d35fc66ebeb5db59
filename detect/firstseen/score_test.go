package firstseen

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"tapwatch/flow"
)

var begin = time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)

const day = 24 * time.Hour

// carrier is a zone of so many assets, each asked by a poller and by admins of one
// subnet.
func carrier(assets int) *zone {
	z := newZone(begin)
	for i := range assets {
		name := fmt.Sprintf("core-%d", i)
		z.add(relation{asset: name, service: service{6, 22, true}, group: group{zone: "management", subnet: "10.20.0.0"}}, begin)
		z.add(relation{asset: name, service: service{17, 161, true}, group: group{zone: "management", role: "nms"}}, begin)
	}
	return z
}

func comer(port uint16) *contact {
	return &contact{Asset: "core-1", AssetZone: "core", AssetKind: flow.ZoneCore, PeerZone: "hosting", PeerAddr: netip.MustParseAddr("10.99.1.1"),
		Protocol: 6, Port: port, AssetServes: true, Initiator: "peer"}
}

// TestScoreOfChurn draws ninety days of the churn of a carrier: a new base station a
// day, a new address of a known network a day, a new laptop a week, and a resolver that
// meets new networks all the time. Hardly any of it is reported, and a stranger who
// comes at any time is.
func TestScoreOfChurn(t *testing.T) {
	for seed := range uint64(5) {
		random := rand.New(rand.NewPCG(seed, 7))
		d := &Detector{cfg: DefaultConfig()}
		z := carrier(60)
		reported, missed := 0, 0
		learn := func(c *contact, at time.Time) {
			z.add(relation{asset: c.Asset, service: service{c.Protocol, c.Port, c.AssetServes}, group: c.group()}, at)
		}
		for n := range 90 {
			at := begin.Add(time.Duration(n)*day + time.Duration(random.IntN(86400))*time.Second)
			churn := []*contact{
				{Asset: "core-2", PeerZone: "radio", PeerAddr: netip.AddrFrom4([4]byte{10, 50, byte(random.IntN(40)), byte(random.IntN(250))}), Protocol: 132, Port: 38412, AssetServes: true},
				{Asset: fmt.Sprintf("core-%d", random.IntN(60)), ASN: uint32(64500 + random.IntN(5)), PeerAddr: netip.AddrFrom4([4]byte{203, 0, 113, byte(random.IntN(250))}), Protocol: 6, Port: 443},
			}
			for range 5 {
				churn = append(churn, &contact{Asset: "core-9", ASN: uint32(1 + random.IntN(60_000)), PeerAddr: netip.MustParseAddr("198.51.100.1"), Protocol: 17, Port: 53})
			}
			if n%7 == 0 {
				churn = append(churn, &contact{Asset: fmt.Sprintf("core-%d", random.IntN(60)), PeerZone: "management", PeerAddr: netip.AddrFrom4([4]byte{10, 20, 0, byte(random.IntN(250))}), Protocol: 6, Port: 22, AssetServes: true})
			}
			for _, c := range churn {
				c.AssetZone, c.AssetKind, c.Initiator = "core", flow.ZoneCore, "peer"
				if !c.AssetServes {
					c.Initiator = "asset"
				}
				if n >= 14 && d.score(c, z, at).total >= d.cfg.Score {
					reported++
				}
				learn(c, at)
			}
			for _, port := range []uint16{22, 443} {
				if n >= 14 && d.score(comer(port), z, at).total < d.cfg.Score {
					missed++
				}
			}
		}
		if reported > 4 {
			t.Errorf("seed %d: of 76 days of churn %d contacts are reported", seed, reported)
		}
		if missed > 0 {
			t.Errorf("seed %d: %d strangers are not reported", seed, missed)
		}
	}
}

// TestScoreFalls: whatever makes a contact more usual lowers its score.
func TestScoreFalls(t *testing.T) {
	d := &Detector{cfg: DefaultConfig()}
	at := begin.Add(30 * day)
	base := d.score(comer(22), carrier(60), at).total
	for name, change := range map[string]func(c *contact, z *zone){
		"no port of management": func(c *contact, _ *zone) { c.Port = 3868 },
		"within the zone":       func(c *contact, _ *zone) { c.PeerZone = c.AssetZone },
		"its neighbours did it": func(_ *contact, z *zone) {
			z.add(relation{asset: "core-1", service: service{6, 22, true}, group: group{zone: "hosting", subnet: "10.99.1.0"}}, begin)
		},
		"its neighbours did elsewhere": func(_ *contact, z *zone) {
			z.add(relation{asset: "core-7", service: service{6, 22, true}, group: group{zone: "hosting", subnet: "10.99.1.0"}}, begin)
		},
		"strangers come every day": func(_ *contact, z *zone) {
			for i := range 30 {
				z.add(relation{asset: "core-3", service: service{6, 22, true}, group: group{zone: "hosting", subnet: fmt.Sprintf("10.98.%d.0", i)}}, begin.Add(time.Duration(i)*day))
			}
		},
	} {
		c, z := comer(22), carrier(60)
		change(c, z)
		if got := d.score(c, z, at).total; got >= base {
			t.Errorf("%s: the score is %v, and was %v", name, got, base)
		}
	}
	li := comer(22)
	li.AssetKind = flow.ZoneLawfulIntercept
	if got := d.score(li, carrier(60), at).total; got <= base {
		t.Errorf("of a lawful-intercept system the score is %v, of another %v", got, base)
	}
}

func TestConfig(t *testing.T) {
	good := DefaultConfig()
	if err := good.Validate(); err != nil {
		t.Error(err)
	}
	bad := Config{History: 500 * day, Score: 2, Rare: 0.6}
	want := "warm_up: 0s does not do: use 168h to history\nhistory: 12000h0m0s does not do: use up to 9600h\n" +
		"score: 2 does not do: use what is above 0, up to 1\nrare: 0.6 does not do: use what is above 0 and below 0.5\nmax_per_end: 0 is below 1"
	if err := bad.Validate(); err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}
