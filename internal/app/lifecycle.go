package app

import (
	"context"
	"errors"
	"fmt"
)

// lifecycle runs parts that depend on one another. Parts start in the order they
// are added and stop in the reverse: each is told to stop only once all that were
// added after it have ended, so that what flows from one to the next drains.
type lifecycle struct {
	parts  []*part
	failed chan *part // the first part that ends on its own
}

type part struct {
	name   string
	cancel context.CancelFunc
	done   chan struct{}
	err    error
	told   bool // err was given to somebody
}

func newLifecycle() *lifecycle { return &lifecycle{failed: make(chan *part, 1)} }

// fork makes a lifecycle of its own order, whose parts fail the one it comes from.
func (l *lifecycle) fork() *lifecycle { return &lifecycle{failed: l.failed} }

// start runs a part in the background until stop ends its context. The part's
// context carries no deadline of the caller's.
func (l *lifecycle) start(name string, run func(context.Context) error) {
	ctx, cancel := context.WithCancel(context.Background())
	p := &part{name: name, cancel: cancel, done: make(chan struct{})}
	l.parts = append(l.parts, p)
	go func() {
		defer close(p.done)
		err := run(ctx)
		if ctx.Err() != nil && (err == nil || errors.Is(err, context.Canceled)) {
			return
		}
		if err == nil {
			err = errors.New("ended unexpectedly")
		}
		p.err = fmt.Errorf("%s: %w", name, err)
		select {
		case l.failed <- p:
		default: // another one was first
		}
	}()
}

// onStop adds a function to be called at this place of the stopping order.
func (l *lifecycle) onStop(name string, f func() error) {
	l.start(name, func(ctx context.Context) error {
		<-ctx.Done()
		return f()
	})
}

// wait returns when ctx ends (nil) or when a part fails (its error).
func (l *lifecycle) wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case p := <-l.failed:
		return p.tell()
	}
}

// tell gives the error of the part, for whoever handles it; stop leaves it out then.
func (p *part) tell() error {
	p.told = true
	return p.err
}

// until calls f, whose context ends with ctx or when a part fails; then the
// error of that part comes back, which says more than that of f.
func (l *lifecycle) until(ctx context.Context, f func(context.Context) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- f(ctx) }()
	select {
	case err := <-done:
		return err
	case p := <-l.failed:
		cancel()
		<-done
		return p.tell()
	}
}

// stop ends all parts, last added first, and returns the errors not yet told.
func (l *lifecycle) stop() error {
	var all []error
	for i := len(l.parts) - 1; i >= 0; i-- {
		p := l.parts[i]
		p.cancel()
		<-p.done
		if !p.told {
			all = append(all, p.err)
		}
	}
	l.parts = nil
	return errors.Join(all...)
}
