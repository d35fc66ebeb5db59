package campaign

import "slices"

// silenceable draws an exporter of which others still see the traffic: no edge that
// sees everything, for what is planted there would go unseen.
func (p *planting) silenceable() *exporter {
	var all, untouched []*host
	for _, e := range p.c.exporters {
		if e.sampling == 1 || e.what == whatInner {
			continue
		}
		all = append(all, e.host)
		if !slices.ContainsFunc(p.deeds, func(x deed) bool { return x.exporter == e.index }) {
			untouched = append(untouched, e.host)
		}
	}
	if len(untouched) > 0 {
		all = untouched
	}
	h := p.one(all)
	return p.c.exporters[h.self]
}

// plantExporterSilent is a router that is told to export nothing.
func plantExporterSilent(p *planting) {
	e := p.silenceable()
	from := p.undisturbed(e)
	until := from + int64(p.d.logBetween(float64(90*minute), float64(11*hour)))
	p.deeds = append(p.deeds, deed{at: from, exporter: e.index, silence: true}, deed{at: until, exporter: e.index, speak: true})
	p.span(from, until)
	p.about(e.host)
	p.note("hours", float64(until-from)/float64(hour))
	p.strength("silent for %.1f h", float64(until-from)/float64(hour))
}

// undisturbed draws a beginning at which nothing else is done to the exporter for
// half a day around.
func (p *planting) undisturbed(e *exporter) int64 {
	at := p.begin()
	for range 200 {
		clash := false
		for _, x := range p.deeds {
			clash = clash || x.exporter == e.index && x.at > at-14*hour && x.at < at+14*hour
		}
		if !clash {
			break
		}
		at = p.begin()
	}
	return at
}

// plantSyslogSilent is a router whose log messages stop while all else goes on. Its
// habits of logging are interrupted.
func plantSyslogSilent(p *planting) {
	device := p.device()
	from := p.begin()
	lasts := p.d.logBetween(float64(8*hour), float64(22*hour))
	until := from
	for i := range p.b.habits {
		h := &p.b.habits[i]
		if h.client == device && h.name == "syslog" {
			// Long enough for thirty messages, so that their absence says something.
			until = min(p.to, from+int64(max(lasts, 30/h.perDay*float64(day))))
			h.pauses = append(h.pauses, pause{from, until})
			p.with(h.server)
			p.note("expected", h.perDay*float64(until-from)/float64(day))
		}
	}
	p.span(from, until)
	p.about(device)
	p.port(514)
	p.note("hours", float64(until-from)/float64(hour))
	p.strength("silent for %.1f h", float64(until-from)/float64(hour))
}

// plantSamplingChanged is an exporter that is told to look at fewer packets, or at
// more.
func plantSamplingChanged(p *planting) {
	e := p.silenceable()
	from := p.undisturbed(e)
	until := from + int64(p.d.logBetween(float64(2*hour), float64(11*hour)))
	factor := p.d.logBetween(10, 100)
	interval := uint32(float64(e.sampling) * factor)
	if interval > 16383 {
		interval = max(1, uint32(float64(e.sampling)/factor))
	}
	p.deeds = append(p.deeds, deed{at: from, exporter: e.index, sampling: interval}, deed{at: until, exporter: e.index, sampling: e.sampling})
	p.span(from, until)
	p.about(e.host)
	p.note("before", float64(e.sampling))
	p.note("after", float64(interval))
	p.strength("1:%d becomes 1:%d for %.1f h", e.sampling, interval, float64(until-from)/float64(hour))
}
