package console

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"tapwatch/alert"
)

// backfillPage is how many alerts the stream reads from storage at once, and how
// many of the latest it starts with when it is asked for all.
const backfillPage = 500

// streamWriteTimeout is how long a client may take to accept one event.
const streamWriteTimeout = 10 * time.Second

// errCut says that the feed dropped a client that lags; it reconnects by itself.
var errCut = errors.New("client lags behind the feed")

// streamAlerts answers /api/v1/alerts/stream with server-sent events (WHATWG HTML,
// section 9.2). Event ids are alert versions. It subscribes before it reads what
// the client missed, and drops by version what comes both ways, so a client that
// reconnects with Last-Event-ID sees every change once, the latest state of each
// alert, and nothing twice.
func (s *Server) streamAlerts(w http.ResponseWriter, r *http.Request) {
	q, resume, bad := s.streamQuery(r)
	if bad != nil {
		bad.write(w)
		return
	}
	if r.Method == http.MethodHead {
		w.Header().Set("Content-Type", "text/event-stream")
		return
	}
	changes, unsubscribe := s.deps.Feed.Subscribe()
	defer unsubscribe()

	var approvals []alert.Approval
	q.Silences, approvals = s.deps.Quiet.InForce()
	st := &stream{query: q, approvals: approvals, last: q.AfterVersion, w: w, control: http.NewResponseController(w), metrics: s.metrics}
	var missed []alert.Alert
	if resume {
		var err error
		if missed, err = st.missed(r.Context(), s.deps.Alerts); err != nil {
			s.unavailable(w, r, "alerts", err)
			return
		}
	}
	s.metrics.streamClients.Inc()
	defer s.metrics.streamClients.Dec()
	if err := s.follow(r.Context(), st, missed, changes); err != nil && r.Context().Err() == nil {
		reason := "write"
		if errors.Is(err, errCut) {
			reason = "lag"
		} else if errors.Is(err, errBackfill) {
			reason = "storage"
		}
		s.metrics.streamCuts.WithLabelValues(reason).Inc()
		s.logger.Info("stream cut", "remote", r.RemoteAddr, "reason", reason, "error", err)
	}
}

// streamQuery reads the filters and where to go on: Last-Event-ID, which browsers
// send when they reconnect, wins over the parameter after.
func (s *Server) streamQuery(r *http.Request) (q alert.Query, resume bool, bad *problem) {
	q, bad = parseQuery(r, streamParameters(), s.deps.Now())
	if bad != nil {
		return q, false, bad
	}
	resume = r.URL.Query().Get("after") != ""
	if id := r.Header.Get("Last-Event-ID"); id != "" {
		resume = true
		header := version("Last-Event-ID", func(q *alert.Query) *uint64 { return &q.AfterVersion })
		bad = header.read(&q, id, time.Time{})
	}
	return q, resume, bad
}

// follow writes what was missed and then what changes, until the client leaves,
// the server stops (both nil) or the client must be cut.
func (s *Server) follow(ctx context.Context, st *stream, missed []alert.Alert, changes <-chan alert.Alert) error {
	if err := st.open(); err != nil {
		return err
	}
	for len(missed) > 0 {
		if err := st.send(missed...); err != nil {
			return err
		}
		if len(missed) < backfillPage || st.query.AfterVersion == 0 {
			break
		}
		var err error
		if missed, err = st.missed(ctx, s.deps.Alerts); err != nil {
			return err
		}
	}
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-s.stopping:
			return nil
		case a, ok := <-changes:
			if !ok {
				return errCut
			}
			// Silences begin and end while the stream goes on.
			st.query.Silences, st.approvals = s.deps.Quiet.InForce()
			if !matches(st.query, &a) {
				continue
			}
			if err := st.send(a); err != nil {
				return err
			}
		case <-beat.C:
			if err := st.beat(s.deps.Now()); err != nil {
				return err
			}
		}
	}
}

var errBackfill = errors.New("read missed alerts")

// stream is one client. last is the version it has seen.
type stream struct {
	query     alert.Query
	approvals []alert.Approval
	last      uint64
	w         http.ResponseWriter
	control   *http.ResponseController
	metrics   *metrics
}

// missed reads the next page of alerts that the client has not seen, the first
// changed first. A client that has seen none gets the latest page alone.
func (st *stream) missed(ctx context.Context, alerts Alerts) ([]alert.Alert, error) {
	q := st.query
	q.AfterVersion, q.Limit = st.last, backfillPage
	found, err := alerts.Alerts(ctx, q)
	if err != nil {
		return nil, fmt.Errorf("%w after version %d: %w", errBackfill, st.last, err)
	}
	if st.last == 0 {
		slices.Reverse(found)
	}
	return found, nil
}

// open sends the headers and how soon to reconnect, and lifts the deadlines that
// hold for ordinary answers.
func (st *stream) open() error {
	h := st.w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("X-Accel-Buffering", "no") // proxies of nginx's kind must not hold events back
	if err := st.control.SetReadDeadline(time.Time{}); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return fmt.Errorf("lift read deadline: %w", err)
	}
	return st.write(fmt.Appendf(nil, "retry: %d\n\n", retryHint.Milliseconds()))
}

// send writes those of the alerts that the client has not seen.
func (st *stream) send(alerts ...alert.Alert) error {
	var events []byte
	for _, a := range alerts {
		if a.Version <= st.last {
			continue
		}
		st.last = a.Version
		data, err := json.Marshal(shown(a, st.query.Silences, st.approvals))
		if err != nil {
			return fmt.Errorf("encode alert %s: %w", a.ID, err)
		}
		events = fmt.Appendf(events, "id: %d\nevent: alert\ndata: %s\n\n", a.Version, data)
		st.metrics.streamAlerts.Inc()
	}
	if len(events) == 0 {
		return nil
	}
	return st.write(events)
}

// beat shows that the stream lives: a comment for proxies, and an event for pages,
// which do not get to see comments.
func (st *stream) beat(now time.Time) error {
	return st.write(fmt.Appendf(nil, ": heartbeat\nevent: heartbeat\ndata: {\"now\":%q}\n\n", now.UTC().Format(time.RFC3339)))
}

func (st *stream) write(data []byte) error {
	if err := st.control.SetWriteDeadline(time.Now().Add(streamWriteTimeout)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return fmt.Errorf("set write deadline: %w", err)
	}
	if _, err := st.w.Write(data); err != nil {
		return fmt.Errorf("write to stream: %w", err)
	}
	if err := st.control.Flush(); err != nil {
		return fmt.Errorf("flush stream: %w", err)
	}
	return nil
}
