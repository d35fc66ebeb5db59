package collector

import (
	"log/slog"
	"sync"
	"time"
)

// stepClock gives whole milliseconds, as they are stored, and never goes back: a
// clock set back would stamp records into detection windows that are over. It is
// safe for concurrent use.
type stepClock struct {
	read   func() time.Time
	logger *slog.Logger
	mu     sync.Mutex
	last   time.Time
	told   bool // that it stands still, since it does
}

// toldStep is how far the clock must be set back to be an error: less is what
// programs that keep the time do all day.
const toldStep = time.Second

func (c *stepClock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	// Round strips the monotonic reading, so that stamps compare as they are stored.
	t := c.read().Round(0).Truncate(time.Millisecond)
	if !t.Before(c.last) {
		c.last, c.told = t, false
		return t
	}
	if back := c.last.Sub(t); back > toldStep && !c.told {
		c.told = true
		c.logger.Error("the clock was set back: until it is where it was, what is received is stamped with that time",
			"set_back", back, "stamp", c.last)
	}
	return c.last
}

// millis is now as stamps have it.
func (c *stepClock) millis() int64 { return c.now().UnixMilli() }
