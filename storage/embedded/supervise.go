package embedded

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/cenkalti/backoff/v7"

	"tapwatch/storage/embedded/gateway"
)

const (
	// firstStarts is how often the first start is tried: a port found free may be
	// taken meanwhile, but an engine that never starts is a mistake to report.
	firstStarts = 3
	// settled is how long an engine must have run for the next restart to be
	// prompt again.
	settled = time.Minute
)

// supervise runs the engine behind the gateway until ctx ends.
func (e *Engine) supervise(ctx context.Context, held *os.File, front *gateway.Gateway, state State) error {
	p, err := e.firstStart(ctx, held, front, &state)
	if err != nil {
		return err
	}
	close(e.ready)
	delay := backoff.NewExponentialBackOff()
	delay.InitialInterval = 100 * time.Millisecond
	delay.MaxInterval = 30 * time.Second
	for {
		began := time.Now()
		select {
		case <-ctx.Done():
			return e.shutDown(p, state)
		case <-p.done:
		}
		front.Use("", "")
		e.metrics.up.Set(0)
		e.log.Error("engine died, starting it again", "pid", state.PID, "error", p.failure())
		if time.Since(began) > settled {
			delay.Reset()
		}
		if p, err = e.restart(ctx, held, front, &state, delay); err != nil {
			return errors.Join(err, e.forget(state))
		}
	}
}

// firstStart starts the engine and, a few times, tries again.
func (e *Engine) firstStart(ctx context.Context, held *os.File, front *gateway.Gateway, state *State) (*process, error) {
	for try := 1; ; try++ {
		p, err := e.startReady(ctx, held, front, state)
		if err == nil || ctx.Err() != nil || try == firstStarts {
			return p, err
		}
		e.log.Warn("engine did not start, trying again", "error", err, "try", try, "of", firstStarts)
	}
}

// restart tries until the engine answers again, or until ctx ends.
func (e *Engine) restart(ctx context.Context, held *os.File, front *gateway.Gateway, state *State, delay *backoff.ExponentialBackOff) (*process, error) {
	for {
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-time.After(delay.NextBackOff()):
		}
		e.metrics.restarts.Inc()
		p, err := e.startReady(ctx, held, front, state)
		if err == nil {
			return p, nil
		}
		if ctx.Err() == nil {
			e.log.Error("engine did not start, trying again", "error", err)
		}
	}
}

// startReady starts the engine and waits until it answers. No process is left after
// an error.
func (e *Engine) startReady(ctx context.Context, held *os.File, front *gateway.Gateway, state *State) (*process, error) {
	at, err := freeSockets()
	if err != nil {
		return nil, err
	}
	if err := writeFiles(e.dataDir, e.cfg, *state, at); err != nil {
		return nil, fmt.Errorf("write the engine's configuration: %w", err)
	}
	e.mend()
	began := time.Now()
	p, err := start(e.dataDir, e.library, held)
	if err != nil {
		return nil, err
	}
	if err := p.waitReady(ctx, at); err != nil {
		p.stop(stopTimeout)
		return nil, err
	}
	state.PID = p.cmd.Process.Pid
	if err := e.publish(*state); err != nil {
		p.stop(stopTimeout)
		return nil, err
	}
	front.Use(at.native(), at.web())
	e.metrics.up.Set(1)
	e.log.Info("engine answers", "pid", state.PID, "tcp_port", state.TCPPort, "http_port", state.HTTPPort,
		"took", time.Since(began).Round(time.Millisecond))
	return p, nil
}

// mend makes sure that the engine takes no insert for stored that it was killed at. What
// cannot be mended is no reason not to start.
func (e *Engine) mend() {
	mended, err := mendInsertLogs(e.dataDir)
	if err != nil {
		e.log.Error("an insert that the engine was killed at may be lost when it is repeated", "error", err)
	}
	if mended > 0 {
		e.log.Warn("inserts that the engine was killed at are forgotten, and will be repeated", "parts", mended)
	}
}

// publish records the state for this process and for others.
func (e *Engine) publish(state State) error {
	e.mu.Lock()
	e.state = state
	e.mu.Unlock()
	return state.save(e.dataDir)
}

func (e *Engine) shutDown(p *process, state State) error {
	began := time.Now()
	clean := p.stop(stopTimeout)
	e.metrics.up.Set(0)
	e.log.Info("engine stopped", "clean", clean, "took", time.Since(began).Round(time.Millisecond))
	return e.forget(state)
}

// forget records that no engine runs; the passwords and ports stay.
func (e *Engine) forget(state State) error {
	state.PID = 0
	return e.publish(state)
}
