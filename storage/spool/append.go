package spool

import (
	"errors"
	"fmt"
	"os"
)

// Append adds a frame: a payload of 1 to MaxPayloadBytes bytes with the number of its
// records and their least received_at, Unix ms. It keeps nothing of payload.
//
// Without an error the frame is written, and survives the end of the process. With
// one it is not there, and the segment is as it was: further appends may work, with
// ErrNoSpace and ErrFull once there is room. In both cases it tells which older
// segments were lost to make room.
func (g *Segment) Append(payload []byte, records int, oldest int64) (Evicted, error) {
	if err := checkFrame(payload, records); err != nil {
		return Evicted{}, g.wrap("append to", err)
	}
	e := g.spool.encoders.Get().(*encoder)
	defer g.spool.encoders.Put(e)
	head, frame, err := e.encode(payload, records, oldest)
	if err != nil {
		return Evicted{}, g.wrap("compress a frame for", err)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	evicted, err := g.reserve(int64(len(frame)))
	if err == nil {
		head.put(frame, g.header.sum, g.end)
		err = g.write(frame)
		g.account(head, err == nil)
	}
	if err != nil {
		return evicted, g.wrap("append to", err)
	}
	return evicted, nil
}

// reserve makes room for n more bytes in the open segment.
func (g *Segment) reserve(n int64) (Evicted, error) {
	g.spool.mu.Lock()
	defer g.spool.mu.Unlock()
	switch {
	case g.spool.closed:
		return Evicted{}, ErrClosed
	case g.state.err() != nil:
		return Evicted{}, g.state.err()
	case g.state == stateSealed:
		return Evicted{}, ErrSealed
	}
	return g.spool.reserve(n)
}

// account adds the frame that was reserved, or gives its room back.
func (g *Segment) account(h frameHeader, written bool) {
	g.spool.mu.Lock()
	defer g.spool.mu.Unlock()
	if !written {
		g.spool.bytes -= h.size()
		return
	}
	g.end += h.size()
	g.size += h.size()
	g.records += h.records
	g.oldest = min(g.oldest, h.oldest)
}

// write puts the frame at the end of the file, or nothing.
func (g *Segment) write(frame []byte) error {
	if err := g.cut(); err != nil {
		return err
	}
	_, err := g.file.WriteAt(frame, g.end)
	if err == nil && g.spool.cfg.Fsync == FsyncAlways {
		err = g.file.Sync()
	}
	if err != nil {
		g.dirty = true
		return errors.Join(noSpace(err), g.cut())
	}
	return nil
}

// cut removes what a failed append left. Until it has, there are no further ones: a
// shorter frame would leave a part of it behind.
func (g *Segment) cut() error {
	if !g.dirty {
		return nil
	}
	if err := g.file.Truncate(g.end); err != nil {
		return fmt.Errorf("cut off a failed append: %w", err)
	}
	g.dirty = false
	return nil
}

// create makes the file, with its header.
func (g *Segment) create(encoded []byte) (err error) {
	s := g.spool
	if g.file, err = s.open(s.path(g.name), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600); err != nil {
		return err
	}
	if _, err = g.file.WriteAt(encoded, 0); err == nil && s.cfg.Fsync != FsyncNever {
		err = syncDir(s.cfg.Dir)
	}
	if err != nil {
		err = errors.Join(err, g.file.Close(), os.Remove(s.path(g.name)))
		g.file = nil
	}
	return err
}

// Seal ends the appends; from now on the segment can be read. With an error it is
// sealed nevertheless, but may not survive a loss of power. To seal twice is no error.
// A segment without frames is better removed.
func (g *Segment) Seal() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.spool.mu.Lock()
	st := g.state
	g.spool.mu.Unlock()
	if err := st.err(); err != nil {
		return g.wrap("seal", err)
	}
	return g.seal()
}

// seal is Seal for a segment that has a file. The caller has the lock of the segment.
func (g *Segment) seal() error {
	if g.file == nil {
		return nil // sealed before
	}
	err := g.cut() // readers do not look there anyway
	if g.spool.cfg.Fsync == FsyncSegment {
		err = errors.Join(err, noSpace(g.file.Sync()))
	}
	err = errors.Join(err, noSpace(g.file.Close()))
	g.file, g.dirty = nil, false
	g.spool.mu.Lock()
	g.state = stateSealed
	g.spool.mu.Unlock()
	if err != nil {
		return g.wrap("seal", err)
	}
	return nil
}

// closeOpen seals an open segment, or removes it when it has no frames.
func (g *Segment) closeOpen() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.file == nil {
		return nil
	}
	if g.end > headerSize {
		return g.seal()
	}
	g.spool.mu.Lock()
	defer g.spool.mu.Unlock()
	err := errors.Join(g.file.Close(), g.spool.drop(g, stateRemoved))
	g.file = nil
	return err
}

func (g *Segment) wrap(what string, err error) error {
	return fmt.Errorf("%s the segment %s: %w", what, g.name, err)
}
