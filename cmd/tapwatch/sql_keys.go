package main

import (
	"bytes"
	"io"
	"sync"
)

const ctrlC = 3

// keys are what a person types at a terminal in raw mode. They are read all the time,
// so that Ctrl-C is seen while a query runs; all else waits for Read. One goroutine may
// call its methods, and another end.
type keys struct {
	mu      sync.Mutex
	changed *sync.Cond
	typed   []byte
	ended   bool
	// cancel is called on Ctrl-C; nil while a line is read.
	cancel func()
	// gaveUp says that Read gave Ctrl-C.
	gaveUp bool
}

// newKeys reads in until it ends.
func newKeys(in io.Reader) *keys {
	k := &keys{}
	k.changed = sync.NewCond(&k.mu)
	go k.watch(in)
	return k
}

func (k *keys) watch(in io.Reader) {
	buffer := make([]byte, 1024)
	for {
		n, err := in.Read(buffer)
		k.add(buffer[:n])
		if err != nil {
			k.end()
			return
		}
	}
}

func (k *keys) add(p []byte) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if i := bytes.LastIndexByte(p, ctrlC); i >= 0 && k.cancel != nil {
		k.cancel()
		k.typed, p = nil, p[i+1:] // what was typed before is dropped too
	}
	k.typed = append(k.typed, p...)
	k.changed.Broadcast()
}

// end lets Read give io.EOF once all is read.
func (k *keys) end() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.ended = true
	k.changed.Broadcast()
}

// Read gives what was typed; Ctrl-C comes alone.
func (k *keys) Read(p []byte) (int, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for len(k.typed) == 0 && !k.ended {
		k.changed.Wait()
	}
	if len(k.typed) == 0 {
		return 0, io.EOF
	}
	next := k.typed
	switch i := bytes.IndexByte(next, ctrlC); {
	case i == 0:
		next, k.gaveUp = next[:1], true
	case i > 0:
		next = next[:i]
	}
	n := copy(p, next)
	k.typed = k.typed[n:]
	return n, nil
}

// interrupted tells whether Ctrl-C ended the line, once.
func (k *keys) interrupted() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	was := k.gaveUp
	k.gaveUp = false
	return was
}

// onInterrupt has Ctrl-C call cancel until done is called.
func (k *keys) onInterrupt(cancel func()) (done func()) {
	set := func(f func()) {
		k.mu.Lock()
		defer k.mu.Unlock()
		k.cancel = f
	}
	set(cancel)
	return func() { set(nil) }
}
