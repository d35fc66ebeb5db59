package netflow

import (
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"

	"tapwatch/collector"
	"tapwatch/flow"
)

// What a session keeps over a restart: its templates, as they came, and what was
// announced about sampling. Sequence numbers are not kept: what came while nobody
// listened is not lost on the way.

type savedDomain struct {
	Version   uint16          `json:"version"`
	Domain    uint32          `json:"domain"`
	InitAt    int64           `json:"init_at,omitempty"` // Unix milliseconds
	Templates []savedTemplate `json:"templates,omitempty"`
	Sampling  []savedSampler  `json:"sampling,omitempty"`
}

type savedTemplate struct {
	Record  []byte `json:"record"` // of the template set
	Options bool   `json:"options,omitempty"`
	// UsedAt is in Unix milliseconds, rounded down to collector.Limits.StateStep: what
	// nothing but time has changed is not to be written again and again.
	UsedAt int64 `json:"used_at"`
}

// savedSampler is a sampling interval: of a sampler, of an interface, else of the
// domain.
type savedSampler struct {
	Sampler   *uint64 `json:"sampler,omitempty"`
	Interface *uint64 `json:"interface,omitempty"`
	Interval  uint32  `json:"interval"`
}

// State implements collector.Session.
func (s *session) State() ([]byte, error) {
	var all []savedDomain
	step := max(1, s.shared.limits.StateStep().Milliseconds())
	for k, d := range s.domains {
		saved := savedDomain{Version: k.version, Domain: k.id, InitAt: d.initAt}
		for _, t := range d.templates.all() {
			saved.Templates = append(saved.Templates, savedTemplate{[]byte(t.raw), t.options, t.usedAt - t.usedAt%step})
		}
		for of, interval := range d.samplers.intervals {
			saved.Sampling = append(saved.Sampling, savedSamplerOf(of, interval))
		}
		slices.SortFunc(saved.Sampling, compareSamplers)
		if len(saved.Templates) > 0 || len(saved.Sampling) > 0 {
			all = append(all, saved)
		}
	}
	if len(all) == 0 {
		return nil, nil
	}
	slices.SortFunc(all, func(a, b savedDomain) int {
		return cmp.Or(cmp.Compare(a.Version, b.Version), cmp.Compare(a.Domain, b.Domain))
	})
	return json.Marshal(all)
}

func savedSamplerOf(of scope, interval uint32) savedSampler {
	saved := savedSampler{Interval: interval}
	switch of.kind {
	case ofSampler:
		saved.Sampler = &of.id
	case ofInterface:
		saved.Interface = &of.id
	}
	return saved
}

func (s *savedSampler) scope() scope {
	switch {
	case s.Sampler != nil:
		return scope{ofSampler, *s.Sampler}
	case s.Interface != nil:
		return scope{ofInterface, *s.Interface}
	}
	return scope{kind: ofDomain}
}

func compareSamplers(a, b savedSampler) int {
	x, y := a.scope(), b.scope()
	return cmp.Or(cmp.Compare(x.kind, y.kind), cmp.Compare(x.id, y.id))
}

// Restore implements collector.Session. Templates that were not used for longer than
// their lifetime are left out.
func (s *session) Restore(state []byte, g *collector.Datagram) error {
	var all []savedDomain
	if err := json.Unmarshal(state, &all); err != nil {
		return fmt.Errorf("netflow: read what was kept: %w", err)
	}
	var failed []error
	s.shared.templates = math.MaxInt
	for i := range all {
		failed = append(failed, s.restore(&all[i], g))
	}
	return errors.Join(failed...)
}

func (s *session) restore(saved *savedDomain, g *collector.Datagram) error {
	k := domainKey{saved.Version, saved.Domain}
	if k.version != version9 && k.version != versionIPFIX {
		return fmt.Errorf("netflow: what was kept is of version %d, which has no templates", k.version)
	}
	oldest := g.ReceivedAt.Add(-s.shared.limits.TemplateLifetime).UnixMilli()
	for _, t := range saved.Templates {
		if t.UsedAt < oldest {
			continue
		}
		if err := s.restoreTemplate(k, t, g); err != nil {
			return err
		}
	}
	if len(saved.Sampling) == 0 && saved.InitAt == 0 {
		return nil
	}
	d := s.remembered(k, g)
	if d == nil {
		return nil
	}
	d.initAt, d.usedAt = saved.InitAt, g.ReceivedAt.UnixMilli()
	for _, sampler := range saved.Sampling {
		if sampler.Interval > 0 {
			s.announce(d, sampler.scope(), sampler.Interval, g)
		}
	}
	return nil
}

// restoreTemplate takes a template as if it came in a template set.
func (s *session) restoreTemplate(k domainKey, saved savedTemplate, g *collector.Datagram) error {
	format := plainTemplate
	switch {
	case saved.Options && k.version == version9:
		format = optionsTemplate9
	case saved.Options:
		format = optionsTemplate
	}
	if len(saved.Record) < format.header {
		return errors.New("netflow: a template that was kept is cut short")
	}
	length, fields, ok := format.measure(saved.Record, k.version)
	if !ok || fields == 0 || length != len(saved.Record) {
		return errors.New("netflow: a template that was kept is damaged")
	}
	id := binary.BigEndian.Uint16(saved.Record)
	var none flow.Batch // nothing waits yet
	s.template(&none, k, id, saved.Record, fields, format, g)
	if d := s.domains[k]; d != nil {
		if t := d.templates.get(id); t != nil {
			t.usedAt = min(saved.UsedAt, g.ReceivedAt.UnixMilli())
		}
	}
	return nil
}
