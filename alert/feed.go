package alert

import "sync"

// Feed hands alerts to its subscribers as they change. Safe for concurrent use.
type Feed struct {
	mu          sync.Mutex
	subscribers map[chan Alert]struct{}
}

// feedBuffer is how many alerts a subscriber may lag behind before it is cut off.
const feedBuffer = 256

// NewFeed returns a feed without subscribers.
func NewFeed() *Feed { return &Feed{subscribers: map[chan Alert]struct{}{}} }

// Publish hands alerts, in order, to every subscriber. It never blocks: a
// subscriber that lags too far behind has its channel closed, and catches up
// from storage by the last version it saw.
func (f *Feed) Publish(alerts ...Alert) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for c := range f.subscribers {
		for _, a := range alerts {
			select {
			case c <- a:
				continue
			default:
			}
			delete(f.subscribers, c)
			close(c)
			break
		}
	}
}

// Subscribe returns a channel of the alerts published from now on, and a function
// that ends the subscription and must be called once. The channel is closed when
// the subscription ends or lags too far behind.
func (f *Feed) Subscribe() (<-chan Alert, func()) {
	c := make(chan Alert, feedBuffer)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.subscribers[c] = struct{}{}
	return c, func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		if _, ok := f.subscribers[c]; ok {
			delete(f.subscribers, c)
			close(c)
		}
	}
}
