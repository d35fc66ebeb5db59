package campaign

import "math"

// callHome adds one call of a beacon: a TLS session with the size of a small web
// request and a varying answer.
func (p *planting) callHome(asset, to *host, port uint16, at int64, sent, received float64) {
	p.talk(asset, to, tcp, port, at, int64(p.d.logBetween(150, 9000)), sent, received)
}

// plantBeacon gives a beacon of so many calls (0: a day of them), with a period
// between two numbers of minutes and intervals that differ from it by up to jitter.
func plantBeacon(jitter float64, calls int, low, high float64) func(*planting) {
	return func(p *planting) {
		asset, to := p.system(), p.outsider()
		port := pick(p.d, []uint16{443, 443, 443, 8443})
		period := p.d.logBetween(low, high) * float64(minute)
		n := calls
		if n == 0 {
			n = int(float64(p.d.count(22, 27)) * float64(hour) / period)
		}
		p.calls(asset, to, port, p.begin(), n, period, jitter)
	}
}

// calls adds n calls.
func (p *planting) calls(asset, to *host, port uint16, at int64, n int, period, jitter float64) {
	sent, received := p.d.logBetween(500, 3000), p.d.logBetween(800, 20e3)
	for range n {
		p.callHome(asset, to, port, at, p.d.lognormal(sent, 0.7), p.d.lognormal(received, 1))
		at += int64(period * p.d.between(1-jitter, 1+jitter))
	}
	p.about(asset)
	p.with(to)
	p.port(port)
	p.note("events", float64(n))
	p.note("jitter", jitter)
	p.note("period_s", math.Round(period/1000))
	p.strength("%d events, %.0f %% jitter, every %.0f min", n, 100*jitter, period/float64(minute))
}

// plantBeaconDays is a beacon that calls a few times a day, for days.
func plantBeaconDays(p *planting) {
	asset, to := p.system(), p.outsider()
	period := p.d.between(90, 240) * float64(minute)
	days := p.d.between(5, 6.5)
	p.calls(asset, to, 443, p.begin(), int(days*float64(day)/period), period, p.d.between(0.1, 0.3))
}

// plantCoverage is an implant that calls at no rhythm at all, but in every hour of a
// week, with messages of much the same size.
func plantCoverage(p *planting) {
	asset, to := p.system(), p.outsider()
	at := p.begin()
	sent, received := p.d.logBetween(600, 4000), p.d.logBetween(800, 6000)
	events := 0
	for h := range int64(7 * 24) {
		for range p.d.count(1, 3) {
			p.callHome(asset, to, 443, at+h*hour+p.d.Int64N(hour), p.d.lognormal(sent, 0.08), p.d.lognormal(received, 0.08))
			events++
		}
	}
	p.about(asset)
	p.with(to)
	p.port(443)
	p.note("events", float64(events))
	p.strength("%d events, in every hour of a week", events)
}

// plantLongSession is a session with a host outside that lasts for most of a day or
// more.
func plantLongSession(p *planting) {
	asset, to := p.system(), p.outsider()
	hours := p.d.logBetween(12, 40)
	port := pick(p.d, []uint16{22, 443, 443, 8443})
	rate := p.d.logBetween(200, 20e3) // bytes a minute
	p.talk(asset, to, tcp, port, p.begin(), int64(hours*float64(hour)), rate*hours*60, rate*hours*60*p.d.between(0.3, 3))
	p.about(asset)
	p.with(to)
	p.port(port)
	p.note("hours", hours)
	p.strength("%.1f h to port %d", hours, port)
}

// plantRelay is a router through which somebody goes on to another place: for each
// session in there is one out, at the same time and of the same volume.
func plantRelay(p *planting) {
	device := p.device()
	in := p.outsider()
	if p.d.chance(0.4) {
		in = pick(p.d, p.c.role["jump"])
	}
	out := p.outsider()
	switch p.d.IntN(3) {
	case 0:
		out = pick(p.d, p.c.coreAssets())
	case 1:
		for out = pick(p.d, p.c.role["router"]); out == device; {
			out = pick(p.d, p.c.role["router"])
		}
	}
	port := pick(p.d, []uint16{22, 22, 443})
	episodes := p.d.count(4, 8)
	at := p.begin()
	for range episodes {
		lasts := int64(p.d.logBetween(float64(3*minute), float64(80*minute)))
		sent, received := p.d.logBetween(20e3, 8e6), p.d.logBetween(50e3, 40e6)
		p.talk(in, device, tcp, 22, at, lasts, sent, received)
		lag := p.d.Int64N(4500) + 100
		p.talk(device, out, tcp, port, at+lag, lasts-lag-p.d.Int64N(2000), sent*p.d.between(0.92, 1.08), received*p.d.between(0.92, 1.08))
		at += lasts + int64(p.d.logBetween(float64(10*minute), float64(4*hour)))
	}
	p.about(device)
	p.with(in, out)
	p.port(22, port)
	p.note("episodes", float64(episodes))
	p.strength("%d episodes", episodes)
}
