package netflow

import (
	"slices"
	"time"

	"tapwatch/collector"
)

// waiting is a data set whose template has not come.
type waiting struct {
	message message
	since   time.Time
	data    []byte
}

// waitingBytes is what a waiting set counts for besides its data.
const waitingBytes = 128

func (w *waiting) cost() int { return waitingBytes + len(w.data) }

// wait keeps a data set until its template comes, or counts it as dropped.
func (s *session) wait(m *message, id uint16, data []byte, g *collector.Datagram) {
	cost := waitingBytes + len(data)
	allowed := min(g.WaitingBytes, s.shared.limits.WaitingBytesPerExporter)
	if s.shared.limits.TemplateWait <= 0 {
		g.Tally.Drop(collector.MissingTemplate, 1)
		return
	}
	d := s.remembered(m.domainKey, g)
	if d == nil || s.waitingBytes+cost > allowed {
		g.Tally.Drop(collector.WaitingLimit, 1)
		return
	}
	if d.waiting == nil {
		d.waiting = make(map[uint16][]waiting)
	}
	d.waiting[id] = append(d.waiting[id], waiting{*m, g.ReceivedAt, slices.Clone(data)})
	s.waitingSets++
	s.waitingBytes += cost
}

// arrived gives the sets that waited for a template, oldest first, and forgets them.
func (s *session) arrived(d *domain, id uint16) []waiting {
	all := d.waiting[id]
	if len(all) == 0 {
		return nil
	}
	delete(d.waiting, id)
	s.endWait(all)
	return all
}

// endWait takes sets off the count of those that wait.
func (s *session) endWait(all []waiting) {
	s.waitingSets -= len(all)
	for i := range all {
		s.waitingBytes -= all[i].cost()
	}
}

// Expire implements collector.Session.
func (s *session) Expire(now time.Time, t *collector.Tally) {
	for _, d := range s.domains {
		for id, all := range d.waiting {
			n := len(all) // how many have waited for too long
			if !now.IsZero() {
				n, _ = slices.BinarySearchFunc(all, now.Add(-s.shared.limits.TemplateWait), func(w waiting, oldest time.Time) int {
					return w.since.Compare(oldest)
				})
			}
			t.Drop(collector.MissingTemplate, n)
			s.endWait(all[:n])
			if n == len(all) {
				delete(d.waiting, id)
			} else if n > 0 {
				d.waiting[id] = slices.Clone(all[n:])
			}
		}
	}
	if !now.IsZero() && !s.connected {
		s.dropUnused(now.Add(-s.shared.limits.TemplateLifetime))
	}
}
