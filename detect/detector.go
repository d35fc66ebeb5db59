// Package detect asks the stored flows, window by window, what happened to the
// protected systems, and hands what it finds to a recorder.
//
// Detection is a function of stored data: a Detector reads no clock, and what it keeps
// is a memory of hours that no longer change (Memory), which it could read again. So the
// same windows give the same findings, live, after a restart and in a backtest. Engine decides when a window is complete and keeps account of how
// far each detector has come. What several detectors need of the flows is here:
// Conversations folds them, Conversation.Finding says in words what one was.
//
// Each detector has its own folder; detecttest is the suite that all must pass.
package detect

import (
	"context"
	"iter"
	"time"

	"tapwatch/alert"
)

// Window is a half-open interval of stream time (received_at): a record belongs
// to it if Start <= received_at < End.
type Window struct{ Start, End time.Time }

// Windows yields the windows of the given size that cover [from, to), in order.
// They are aligned to multiples of size since 1970 (UTC), except that the first
// begins at from and the last ends at to.
func Windows(from, to time.Time, size time.Duration) iter.Seq[Window] {
	return func(yield func(Window) bool) {
		for from.Before(to) {
			end := align(from, size).Add(size)
			if end.After(to) {
				end = to
			}
			if !yield(Window{Start: from, End: end}) {
				return
			}
			from = end
		}
	}
}

// align is the last multiple of size since 1970 that is not after t, in UTC.
func align(t time.Time, size time.Duration) time.Time {
	since := t.Sub(time.Unix(0, 0)) % size
	if since < 0 {
		since += size
	}
	return t.Add(-since).UTC()
}

// History is the stored flows, read-only. dest is a pointer to a slice of structs
// whose members carry ch tags; args bind the query's {name:Type} parameters (see
// Param). *storage.Store satisfies it.
type History interface {
	Select(ctx context.Context, dest any, query string, args ...any) error
	// Sessions are the window's sessions, pane by pane, within a pane in the order of
	// their ends. The window is one of whole panes. The slice is shared: read only.
	Sessions(ctx context.Context, w Window) ([]Session, error)
}

// Detector finds one kind of suspicious thing. It must be deterministic: what it
// yields depends on the window, the history up to the window's end, its
// configuration and the inventory, and on nothing else. Safe for concurrent use.
type Detector interface {
	// Name is the name in the registry, in kebab case; it stays the same for ever,
	// since progress and alerts are kept under it.
	Name() string
	// Every is how long its windows are: 0 for a Pane, else a multiple of it that
	// divides a day or is one. A window of an hour or more is detected once the tables
	// pair_hours and sessions are complete up to its end.
	Every() time.Duration
	// Detect returns what it sees in the window, each finding with the window's
	// bounds, no two with the same ID.
	Detect(ctx context.Context, w Window, h History) ([]alert.Finding, error)
}

// Learner is a detector that says how far it is from ready, and of what it says
// nothing: what it needs and has not got.
type Learner interface {
	Ready(ctx context.Context, at time.Time, h History) ([]Readiness, error)
}

// Readiness is how much a detector has of one thing that it needs.
type Readiness struct {
	Detector string `json:"detector"`
	// What it is about, in a few words: "history of core-east".
	What string `json:"what"`
	// Have of Need, in Unit: 9 of 14 days.
	Have float64 `json:"have"`
	Need float64 `json:"need"`
	Unit string  `json:"unit"`
	// Text is one plain sentence: what it cannot say until then, or never, and why.
	Text string `json:"text"`
}

// Store is what the engine needs to read flows and to resume.
type Store interface {
	Select(ctx context.Context, dest any, query string, args ...any) error
	SessionStore
	// Progress is the end of the last window that the detector has finished; zero
	// if it has never run.
	Progress(ctx context.Context, detector string) (time.Time, error)
	SaveProgress(ctx context.Context, detector string, end time.Time) error
	// RewindProgress is SaveProgress for an end before the one that is saved.
	RewindProgress(ctx context.Context, detector string, end time.Time) error
}

// Recorder keeps findings. Recording a finding again, by ID and WindowStart,
// replaces it.
type Recorder interface {
	Record(ctx context.Context, findings []alert.Finding) error
}
