package main

import (
	"context"
	"time"
)

// sample is how many records waited to be stored at a time.
type sample struct {
	at      time.Duration
	waiting float64
}

// watcher looks at tapwatch's queue several times a second.
type watcher struct {
	stop    context.CancelFunc
	ended   chan struct{}
	samples []sample
	err     error
}

// watchEvery is how often it looks.
const watchEvery = 250 * time.Millisecond

// watch starts a watcher. Its samples may be read after end.
func watch(ctx context.Context, console string) *watcher {
	ctx, stop := context.WithCancel(ctx)
	w := &watcher{stop: stop, ended: make(chan struct{})}
	go func() {
		defer close(w.ended)
		began, tick := time.Now(), time.NewTicker(watchEvery)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			c, err := scrape(ctx, console)
			if ctx.Err() != nil {
				return
			}
			if err != nil {
				w.err = err
				return
			}
			w.samples = append(w.samples, sample{time.Since(began), c[metricQueued]})
		}
	}()
	return w
}

func (w *watcher) end() error {
	w.stop()
	<-w.ended
	return w.err
}

// latest is the last sample.
func (w *watcher) latest() uint64 {
	if len(w.samples) == 0 {
		return 0
	}
	return uint64(w.samples[len(w.samples)-1].waiting)
}

// bin is how long several inserts take: the most that waits in it hardly depends on when
// the last of them was.
const bin = 2 * time.Second

// growth is how much the most that waits in a bin grows, in records a second, from a time
// on: the slope of the line that fits best.
func (w *watcher) growth(from time.Duration) float64 {
	most := map[time.Duration]float64{}
	for _, s := range w.samples {
		if s.at >= from {
			at := (s.at - from) / bin
			most[at] = max(most[at], s.waiting)
		}
	}
	var n, x, y, xx, xy float64
	for at, waiting := range most {
		t := (at * bin).Seconds()
		n, x, y, xx, xy = n+1, x+t, y+waiting, xx+t*t, xy+t*waiting
	}
	if d := n*xx - x*x; d > 0 {
		return (n*xy - x*y) / d
	}
	return 0
}
