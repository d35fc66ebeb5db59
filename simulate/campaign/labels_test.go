package campaign_test

import (
	"math"
	"net/netip"
	"slices"
	"testing"
	"time"

	"tapwatch/flow"
	"tapwatch/inventory"
	"tapwatch/simulate/campaign"
)

// TestLabels holds that each technique and trap is planted as often as asked, says
// what it is, and that records of it are exported.
func TestLabels(t *testing.T) {
	silent := []string{"exporter-silent", "sampling-changed", "syslog-silent", "exporter-reboot"}
	for seed := range uint64(2) {
		c := small(t, seed, func(c *campaign.Config) { c.Instances = 2 })
		before := len(c.Labels())
		b, _ := decoded(t, c)
		seen := unsampled(parsed(t, c), b, c.Labels())
		count := map[string]int{}
		ids := map[string]bool{}
		for _, l := range c.Labels() {
			count[l.Technique]++
			if ids[l.ID] {
				t.Errorf("seed %d: two labels %s", seed, l.ID)
			}
			ids[l.ID] = true
			if l.Strength == "" || len(l.Detectors) == 0 || len(l.Tradecraft) == 0 && !l.Trap {
				t.Errorf("seed %d: %s says too little: %+v", seed, l.ID, l)
			}
			if (l.Records == 0) != slices.Contains(silent, l.Technique) {
				t.Errorf("seed %d: %s: %d records", seed, l.ID, l.Records)
			}
			if !l.Trap && l.Records > 0 && !seen[l.ID] && l.Params["sampled"] == 0 {
				t.Errorf("seed %d: %s: no unsampled exporter saw it, params %v", seed, l.ID, l.Params)
			}
			if len(l.Assets) == 0 && l.Technique != "customer-tunnels" {
				t.Errorf("seed %d: %s is about nobody", seed, l.ID)
			}
		}
		if len(c.Labels()) != before {
			t.Errorf("seed %d: %d labels became %d", seed, before, len(c.Labels()))
		}
		cfg := campaign.SmallConfig()
		for _, key := range slices.Concat(cfg.Techniques, campaign.Traps()) {
			if count[key] != 2 && key != "sunday-backup" { // it has no Sunday
				t.Errorf("seed %d: %d times %s", seed, count[key], key)
			}
		}
	}
}

// unsampled tells of which labels there are records of exporters that meter every
// packet, where its ends and times are.
func unsampled(inv *inventory.Inventory, b *flow.Batch, labels []campaign.Label) map[string]bool {
	seen := map[string]bool{}
	for i := range b.Len() {
		if b.SamplingInterval[i] > 1 {
			continue
		}
		for k := range labels {
			l := &labels[k]
			if at := time.UnixMilli(b.ReceivedAt[i]); !seen[l.ID] && !at.Before(l.First) && !at.After(l.Last) {
				seen[l.ID] = covers(l, inv, flow.Addr(b.SrcAddr[i]), flow.Addr(b.DstAddr[i]), b.ReceivedAt[i])
			}
		}
	}
	return seen
}

// party tells zone and asset of an address.
func party(inv *inventory.Inventory, a netip.Addr) inventory.Entry { return inv.Lookup(a) }

// TestInterceptBackgroundIsAllowed holds that whatever is exchanged with a
// lawful-intercept system is allowed by the inventory, or is labelled.
func TestInterceptBackgroundIsAllowed(t *testing.T) {
	for seed := range uint64(2) {
		c := small(t, seed)
		inv := parsed(t, c)
		b, _ := decoded(t, c)
		labels := c.Labels()
		strays := 0
		for i := range b.Len() {
			src, dst := flow.Addr(b.SrcAddr[i]), flow.Addr(b.DstAddr[i])
			if party(inv, src).Kind != flow.ZoneLawfulIntercept && party(inv, dst).Kind != flow.ZoneLawfulIntercept {
				continue
			}
			at := time.UnixMilli(b.StartAt[i])
			toward := inventory.Conversation{Client: src, Server: dst, Protocol: b.Protocol[i], Port: b.DstPort[i], At: at, InitiatorKnown: true}
			back := inventory.Conversation{Client: dst, Server: src, Protocol: b.Protocol[i], Port: b.SrcPort[i], At: at, InitiatorKnown: true}
			if _, ok := inv.Allowed(toward); ok {
				continue
			}
			if _, ok := inv.Allowed(back); ok {
				continue
			}
			strays++
			covered := slices.ContainsFunc(labels, func(l campaign.Label) bool { return covers(&l, inv, src, dst, b.ReceivedAt[i]) })
			if !covered {
				t.Fatalf("seed %d: neither allowed nor labelled: %s", seed, b.Row(i))
			}
		}
		if strays == 0 {
			t.Errorf("seed %d: nobody logged in to lawful intercept, so the test shows nothing", seed)
		}
	}
}

// covers tells whether a record between two ends, received at a time, can be of the
// label.
func covers(l *campaign.Label, inv *inventory.Inventory, src, dst netip.Addr, received int64) bool {
	at := time.UnixMilli(received)
	if at.Before(l.First) || at.After(l.Last) {
		return false
	}
	names := func(a netip.Addr) bool {
		name := party(inv, a).Asset
		if name == "" {
			name = a.String()
		}
		return slices.Contains(l.Assets, name)
	}
	return (names(src) || names(dst)) && (slices.Contains(l.Peers, src) || slices.Contains(l.Peers, dst))
}

// TestQuiet holds that a quiet campaign has traps alone.
func TestQuiet(t *testing.T) {
	c := small(t, 9, func(c *campaign.Config) { c.Quiet = true })
	labels := c.Labels()
	if len(labels) < 8 {
		t.Errorf("%d labels", len(labels))
	}
	for _, l := range labels {
		if !l.Trap {
			t.Errorf("%s in a quiet campaign", l.ID)
		}
	}
}

// TestSilence holds that a silent exporter exports nothing, while records of its
// neighbours show its own traffic.
func TestSilence(t *testing.T) {
	c := small(t, 11, func(c *campaign.Config) {
		c.Techniques = []string{"exporter-silent", "syslog-silent", "sampling-changed"}
	})
	inv := parsed(t, c)
	b, _ := decoded(t, c)
	for _, l := range c.Labels() {
		if l.Technique != "exporter-silent" && l.Technique != "syslog-silent" && l.Technique != "sampling-changed" {
			continue
		}
		own, others, logs, after := 0, 0, 0, uint32(0)
		for i := range b.Len() {
			at := time.UnixMilli(b.ReceivedAt[i])
			if at.Before(l.First.Add(2*time.Second)) || at.After(l.Last) {
				continue
			}
			src := party(inv, flow.Addr(b.SrcAddr[i])).Asset
			switch {
			case party(inv, flow.Addr(b.Exporter[i])).Asset == l.Assets[0]:
				own++
				after = b.SamplingInterval[i]
			case src == l.Assets[0] && b.DstPort[i] == 514 && at.After(l.First.Add(time.Minute)):
				logs++
			case src == l.Assets[0]:
				others++
			}
		}
		switch l.Technique {
		case "exporter-silent":
			if own > 0 || others == 0 {
				t.Errorf("%s: %d records of its own, %d about it of others", l.ID, own, others)
			}
		case "syslog-silent":
			if logs > 0 || others == 0 {
				t.Errorf("%s: %d records of logging, %d others", l.ID, logs, others)
			}
		case "sampling-changed":
			if float64(after) != l.Params["after"] {
				t.Errorf("%s: sampling %d, want %g", l.ID, after, l.Params["after"])
			}
		}
	}
}

// TestMirrorFollows holds that the bytes of a mirror follow the interface it copies,
// minute by minute, as the exported records tell.
func TestMirrorFollows(t *testing.T) {
	for seed := range uint64(2) {
		c := small(t, seed, func(c *campaign.Config) { c.Techniques = []string{"mirror"} })
		inv := parsed(t, c)
		b, _ := decoded(t, c)
		for _, l := range c.Labels() {
			if l.Technique != "mirror" {
				continue
			}
			n := int(l.Params["minutes"])
			mirror, port := make([]float64, n+2), make([]float64, n+2)
			for i := range b.Len() {
				minute := int(b.StartAt[i]-l.First.UnixMilli()+90_000) / 60_000
				if minute < 0 || minute >= len(port) || b.StartAt[i] < l.First.UnixMilli()-90_000 {
					continue
				}
				bytes := float64(b.Bytes[i]) * float64(max(1, b.SamplingInterval[i]))
				exporter := party(inv, flow.Addr(b.Exporter[i])).Asset
				dst := flow.Addr(b.DstAddr[i])
				switch {
				case exporter == l.Assets[0] && b.OutIf[i] == uint32(l.Params["interface"]):
					port[minute] += bytes
				case party(inv, flow.Addr(b.SrcAddr[i])).Asset == l.Assets[0] && slices.Contains(l.Peers, dst) && b.SamplingInterval[i] == 1 && b.InIf[i] == 40:
					mirror[minute] += bytes
				}
			}
			r := correlation(mirror[2:n-1], port[2:n-1])
			if r < 0.95 {
				t.Errorf("seed %d: %s: correlation %.3f over %d minutes", seed, l.ID, r, n)
			}
		}
	}
}

// correlation is Pearson's r.
func correlation(x, y []float64) float64 {
	mean := func(v []float64) (m float64) {
		for _, a := range v {
			m += a
		}
		return m / float64(len(v))
	}
	mx, my := mean(x), mean(y)
	var xy, xx, yy float64
	for i := range x {
		xy += (x[i] - mx) * (y[i] - my)
		xx += (x[i] - mx) * (x[i] - mx)
		yy += (y[i] - my) * (y[i] - my)
	}
	return xy / math.Sqrt(xx*yy)
}
