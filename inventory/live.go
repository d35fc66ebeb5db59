package inventory

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
)

// Live holds the inventory in force: that of the file, with the approvals. The zero Live
// holds an empty inventory. Safe for concurrent use.
type Live struct {
	current atomic.Pointer[Inventory]

	mu        sync.Mutex // held while current is made
	file      *Inventory // what the file says; nil: an empty one
	approvals []Approval
}

// NewLive returns a Live that holds v.
func NewLive(v *Inventory) *Live {
	l := new(Live)
	l.change(func() { l.file = v })
	return l
}

// change makes the inventory in force anew.
func (l *Live) change(f func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f()
	if l.file == nil {
		l.file = new(Inventory)
	}
	l.current.Store(WithApprovals(l.file, l.approvals))
}

// Approve puts these approvals in force instead of those before, and tells whether that
// changes anything.
func (l *Live) Approve(approvals []Approval) (changed bool) {
	l.mu.Lock()
	same := slices.Equal(l.approvals, approvals)
	l.mu.Unlock()
	if !same {
		l.change(func() { l.approvals = slices.Clone(approvals) })
	}
	return !same
}

// File is what the file says, without the approvals; never nil.
func (l *Live) File() *Inventory {
	l.Load()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file == nil {
		return new(Inventory)
	}
	return l.file
}

// Load returns the inventory in force, never nil. Whoever compares several
// addresses loads it once, so that a reload does not come between.
func (l *Live) Load() *Inventory {
	if v := l.current.Load(); v != nil {
		return v
	}
	l.current.CompareAndSwap(nil, new(Inventory)) // the same one every time
	return l.current.Load()
}

// Reload reads the file and puts it in force. A file with a mistake changes
// nothing: the inventory of before stays, and the error says so and why.
func (l *Live) Reload(file string) error {
	v, err := Load(file)
	if err != nil {
		return fmt.Errorf("the inventory of before stays in force: %w", err)
	}
	l.change(func() { l.file = v })
	return nil
}
