package spool

import (
	"sync"
	"time"
)

// state is where a segment stands; it only grows.
type state uint8

const (
	stateOpen state = iota
	stateSealed
	stateRemoved
	stateEvicted
)

// err says why a segment in this state has no file, if so.
func (st state) err() error {
	switch st {
	case stateRemoved:
		return ErrRemoved
	case stateEvicted:
		return ErrEvicted
	default:
		return nil
	}
}

// Segment is one file of frames, for one insert. Safe for concurrent use; appends to
// one segment wait for one another, those to several do not.
type Segment struct {
	spool  *Spool
	name   string
	header header

	// mu is for what changes the file. Whoever takes both locks takes it before that
	// of the spool.
	mu    sync.Mutex
	file  file // while open
	dirty bool // there may be something behind end

	// The lock of the spool is for the rest; end and size of an open segment change
	// under both.
	state   state
	readers int
	end     int64 // where the whole frames end
	size    int64 // of the file, as it counts for the bound
	records int
	oldest  int64
	counted int64 // up to where damage was counted
}

// Token is the insert_deduplication_token.
func (g *Segment) Token() string { return g.header.token }

// Created is when the segment was begun, in milliseconds.
func (g *Segment) Created() time.Time { return time.UnixMilli(g.header.created).UTC() }

// Records is how many were appended, those of frames that are damaged now included.
func (g *Segment) Records() int {
	g.spool.mu.Lock()
	defer g.spool.mu.Unlock()
	return g.records
}

// Evicted tells whether it was lost to make room.
func (g *Segment) Evicted() bool {
	g.spool.mu.Lock()
	defer g.spool.mu.Unlock()
	return g.state == stateEvicted
}

// Bytes is the size of the file.
func (g *Segment) Bytes() int64 {
	g.spool.mu.Lock()
	defer g.spool.mu.Unlock()
	return g.size
}

// Oldest is the least received_at of all records, Unix ms; math.MaxInt64 without any.
func (g *Segment) Oldest() int64 {
	g.spool.mu.Lock()
	defer g.spool.mu.Unlock()
	return g.oldest
}

// Remove deletes the segment: ClickHouse has it, or it is not wanted. It does not
// matter whether it is open or being read. It fails with ErrEvicted when the segment
// was lost before; to remove twice is no error. When it fails otherwise, the segment
// stays as it was.
func (g *Segment) Remove() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if err := g.delete(); err != nil {
		return g.wrap("remove", err)
	}
	if g.file != nil {
		_ = g.file.Close() // nothing of it is wanted
		g.file = nil
	}
	return nil
}

func (g *Segment) delete() error {
	g.spool.mu.Lock()
	defer g.spool.mu.Unlock()
	switch {
	case g.state == stateEvicted:
		return ErrEvicted
	case g.state == stateRemoved:
		return nil
	case g.spool.closed:
		return ErrClosed
	}
	return g.spool.drop(g, stateRemoved)
}
