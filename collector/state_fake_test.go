package collector

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"time"

	"tapwatch/flow"
)

// fake is a protocol that has something to keep. Its datagrams begin with f; then
// come words of three bytes: t, an id and how many fields make a template, d and an id
// a record of that template, s and a number (and a byte for nothing) announce sampling.
type fake struct{}

func (fake) Name() string              { return "fake" }
func (fake) Match(payload []byte) bool { return payload[0] == 'f' }
func (fake) Sessions(l Limits) func() Session {
	return func() Session { return &fakeSession{limits: l, Templates: make(map[uint8]int)} }
}

type fakeSession struct {
	limits    Limits
	broken    bool          // cannot tell its state
	Templates map[uint8]int `json:"templates"`
	Sampling  uint32        `json:"sampling"`
}

func (s *fakeSession) Decode(b *flow.Batch, d *Datagram) int8 {
	for word := range slices.Chunk(d.Payload[1:], 3) {
		if len(word) < 3 {
			break
		}
		switch word[0] {
		case 't':
			s.learn(word[1], int(word[2]), d)
		case 'd':
			if _, ok := s.Templates[word[1]]; !ok {
				d.Tally.Drop(MissingTemplate, 1)
				continue
			}
			b.SamplingInterval[b.Grow(1)] = s.Sampling
		case 's':
			s.Sampling = uint32(word[1])
		case 'b':
			s.broken = true
		}
	}
	return flow.ExportIPFIX
}

func (s *fakeSession) learn(id uint8, fields int, d *Datagram) {
	delete(s.Templates, id)
	if size := s.Size(); size.Templates >= s.limits.TemplatesPerExporter || size.TemplateFields+fields > d.TemplateFields {
		d.Tally.Drop(TemplateLimit, 1)
		return
	}
	s.Templates[id] = fields
}

func (s *fakeSession) Size() Size {
	size := Size{Templates: len(s.Templates)}
	for _, n := range s.Templates {
		size.TemplateFields += n
	}
	return size
}

func (s *fakeSession) Expire(time.Time, *Tally) {}

func (s *fakeSession) SamplingIntervals() []uint32 {
	if s.Sampling == 0 {
		return nil
	}
	return []uint32{s.Sampling}
}

func (s *fakeSession) State() ([]byte, error) {
	if s.broken {
		return nil, errors.New("does not tell")
	}
	if len(s.Templates) == 0 && s.Sampling == 0 {
		return nil, nil
	}
	// Over several lines, which the file must not take over.
	return json.MarshalIndent(s, "", " ")
}

func (s *fakeSession) Restore(state []byte, d *Datagram) error {
	var was fakeSession
	if err := json.Unmarshal(state, &was); err != nil {
		return err
	}
	for _, id := range slices.Sorted(maps.Keys(was.Templates)) {
		if was.Templates[id] < 1 {
			return errors.New("a template without fields")
		}
		s.learn(id, was.Templates[id], d)
	}
	s.Sampling = was.Sampling
	return nil
}
