package campaign

import (
	"net/netip"
	"slices"
)

// plantVolume is a lot of data from one system of the core to a host outside, within
// two hours.
func plantVolume(p *planting) {
	asset, to := p.system(), p.outsider()
	bytes := p.d.logBetween(200e6, 5e9)
	lasts := int64(p.d.between(30, 120) * float64(minute))
	pieces := p.d.count(1, 6)
	at := p.begin()
	for range pieces {
		p.talk(asset, to, tcp, pick(p.d, []uint16{443, 443, 22}), at, lasts/int64(pieces), bytes/float64(pieces), bytes/float64(pieces)/60)
		at += lasts / int64(pieces)
	}
	p.ports()
	p.about(asset)
	p.with(to)
	p.note("bytes", bytes)
	p.strength("%.0f MB in %d min", bytes/1e6, lasts/minute)
}

// ports names the server ports of what was said.
func (p *planting) ports() {
	for i := range p.conversations {
		if c := &p.conversations[i]; c.label == p.index {
			p.port(c.serverPort)
		}
	}
}

// plantPCR is a system that mostly receives and for two days sends.
func plantPCR(p *planting) {
	asset, to := p.one(p.c.roles("cdr", "syslog", "archive")), p.outsider()
	daily := p.d.logBetween(50e6, 500e6)
	at := p.begin()
	for range 2 {
		pieces := p.d.count(3, 12)
		for range pieces {
			start := at + p.d.Int64N(22*hour)
			p.talk(asset, to, tcp, 443, start, int64(p.d.logBetween(float64(minute), float64(30*minute))), daily/float64(pieces), daily/float64(pieces)/50)
		}
		at += day
	}
	p.about(asset)
	p.with(to)
	p.port(443)
	p.note("bytes_per_day", daily)
	p.strength("%.0f MB a day for two days", daily/1e6)
}

// plantSlowLeak is a little data every day, in pieces, to hosts of one /24.
func plantSlowLeak(p *planting) {
	asset := p.system()
	_, net := p.abroad()
	block := netip.PrefixFrom(p.d.host(net.prefix), 24).Masked()
	var to []*host
	for range p.d.count(1, 4) {
		to = append(to, p.c.outside(p.free(block), net))
	}
	daily := p.d.between(8e6, 15e6)
	pieces := p.d.count(4, 30)
	at := p.from + p.d.Int64N(4*hour)
	days := 0
	for ; at < p.to-hour; at += day {
		days++
		for range max(1, p.d.poisson(float64(pieces))) {
			bytes := p.d.lognormal(daily/float64(pieces), 0.4)
			start := at + p.d.Int64N(day)
			p.talk(asset, pick(p.d, to), tcp, 443, start, int64(p.d.logBetween(float64(2*second), float64(2*minute))), bytes, bytes/30)
		}
	}
	p.about(asset)
	p.with(to...)
	p.port(443)
	p.note("bytes_per_day", daily)
	p.note("days", float64(days))
	p.strength("%.1f MB a day for %d days in about %d pieces a day", daily/1e6, days, pieces)
}

// plantStaging is a host that collects from several systems of the core and of
// lawful intercept, and then sends most of it away.
func plantStaging(p *planting) {
	stage := p.one(append(p.c.coreAssets(), p.c.roles("nms", "syslog", "collector")...))
	sources := p.d.count(3, 6)
	all := p.c.coreAssets()
	if p.d.chance(0.3) {
		all = append(all, p.c.interceptAssets()...)
	}
	all = slices.DeleteFunc(all, func(h *host) bool { return h == stage })
	at := p.begin()
	total := 0.0
	start := at
	for _, from := range some(p.d, all, sources) {
		bytes := p.d.logBetween(50e6, 500e6)
		total += bytes
		lasts := int64(p.d.logBetween(float64(3*minute), float64(40*minute)))
		p.talk(stage, from, tcp, pick(p.d, []uint16{22, 443}), start, lasts, bytes/50, bytes)
		start += int64(p.d.logBetween(float64(10*minute), float64(2*hour)))
		p.about(from)
	}
	to := p.outsider()
	share := p.d.between(0.65, 1)
	start += int64(p.d.logBetween(float64(hour), float64(40*hour)))
	pieces := p.d.count(1, 5)
	for range pieces {
		lasts := int64(p.d.logBetween(float64(10*minute), float64(100*minute)))
		p.talk(stage, to, tcp, 443, start, lasts, share*total/float64(pieces), share*total/float64(pieces)/50)
		start += lasts + int64(p.d.logBetween(float64(minute), float64(2*hour)))
	}
	p.ports()
	p.about(stage)
	p.with(to, stage)
	p.note("sources", float64(sources))
	p.note("bytes", total)
	p.note("share", share)
	p.strength("%.0f MB from %d systems, %.0f %% of it sent on", total/1e6, sources, 100*share)
}
