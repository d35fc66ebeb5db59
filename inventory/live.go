package inventory

import (
	"fmt"
	"sync/atomic"
)

// Live holds the inventory in force. The zero Live holds an empty inventory. Safe
// for concurrent use.
type Live struct{ current atomic.Pointer[Inventory] }

// NewLive returns a Live that holds v.
func NewLive(v *Inventory) *Live {
	l := new(Live)
	l.current.Store(v)
	return l
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
	l.current.Store(v)
	return nil
}
