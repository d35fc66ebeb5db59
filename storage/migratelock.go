package storage

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"
)

// The lock of a database's migrations is a table, for creating one is what ClickHouse
// does for one client only. Who holds it changes its comment now and then: ClickHouse
// stamps the change, so no clock but the server's counts.
const lockTable = "migration_lock"

// lockPoll is how often the lock is asked for that another has.
const lockPoll = 250 * time.Millisecond

// lockTimes are those of the lock.
type lockTimes struct {
	// beat is how often the holder shows that it is there.
	beat time.Duration
	// expiry is after how long without that it is held to be dead. It gives up by itself
	// a good while before.
	expiry time.Duration
}

var defaultLockTimes = lockTimes{beat: 5 * time.Second, expiry: 30 * time.Second}

// errLockLost says that the lock could not be kept.
var errLockLost = errors.New("the migration lock was lost: its table could not be changed in time")

// lock is held from the end of migrator.lock to that of during.
type lock struct {
	*migrator
	ctx    context.Context
	id     string // UUID of the table
	beats  int
	beaten time.Time // when the last change of the comment began
}

// newUUID gives a random UUID (RFC 9562, version 4).
func newUUID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// lock waits until nobody else migrates the database, or ctx ends.
func (m *migrator) lock(ctx context.Context) (*lock, error) {
	l := &lock{migrator: m, ctx: ctx, id: newUUID()}
	waiting := time.Time{}
	for {
		l.beaten = time.Now()
		err := m.conn.Exec(ctx, "CREATE TABLE "+lockTable+" UUID "+quoteText(l.id)+" (nothing UInt8) ENGINE = MergeTree ORDER BY () COMMENT "+quoteText(l.comment()))
		if err == nil {
			return l, nil
		}
		if code, _ := exceptionCode(err); code != codeTableExists {
			return nil, fmt.Errorf("create table %s, which keeps others from migrating at the same time: %w", lockTable, err)
		}
		holder, err := m.holder(ctx)
		if err == nil && holder.Age > int64(m.times.expiry.Seconds()) {
			m.log.Warn("whoever migrated this database has died: going on in its place", "database", m.database, "holder", holder.Comment)
			err = m.takeAway(ctx, holder)
		}
		if err != nil {
			return nil, err
		}
		if waiting.IsZero() || time.Since(waiting) > m.times.beat {
			waiting = time.Now()
			m.log.Info("waiting: another tapwatch migrates this database", "database", m.database, "holder", holder.Comment)
		}
		select {
		case <-time.After(lockPoll):
		case <-ctx.Done():
			return nil, fmt.Errorf("wait for %q, which migrates database %s: %w", holder.Comment, m.database, context.Cause(ctx))
		}
	}
}

// comment says who holds the lock, each time anew.
func (l *lock) comment() string {
	l.beats++
	host, err := os.Hostname()
	if err != nil {
		host = "unknown host"
	}
	return fmt.Sprintf("Held by tapwatch on %s, process %d, while it migrates; sign of life %d.", host, os.Getpid(), l.beats)
}

// lockHolder is the lock of somebody.
type lockHolder struct {
	ID      string `ch:"id"`
	Comment string `ch:"comment"`
	Age     int64  `ch:"age"` // since the last sign of life, in seconds
}

// holder tells who has the lock; nobody has the zero value.
func (m *migrator) holder(ctx context.Context) (lockHolder, error) {
	var found []lockHolder
	err := m.conn.Select(ctx, &found, `
		SELECT toString(uuid) AS id, comment, dateDiff('second', metadata_modification_time, now()) AS age
		FROM system.tables WHERE database = currentDatabase() AND name = '`+lockTable+`'`)
	if err != nil {
		return lockHolder{}, fmt.Errorf("ask who migrates database %s: %w", m.database, err)
	}
	if len(found) == 0 {
		return lockHolder{}, nil
	}
	return found[0], nil
}

// takeAway frees the lock of a holder that has died. Of several that try, one does: the
// new name of the table is that of the one holder, and stays taken, so that who comes
// late does not take the lock from the next one.
func (m *migrator) takeAway(ctx context.Context, h lockHolder) error {
	err := m.conn.Exec(ctx, "RENAME TABLE "+lockTable+" TO "+lockTable+"_"+strings.ReplaceAll(h.ID, "-", ""))
	if code, _ := exceptionCode(err); err != nil && code != codeTableExists && code != codeUnknownTable {
		return fmt.Errorf("take the migration lock of a tapwatch that has died: %w", err)
	}
	return nil
}

// during runs f, keeps the lock meanwhile, and gives it back. Where the lock cannot be
// kept, the context of f ends.
func (l *lock) during(f func(context.Context) error) error {
	ctx, cancel := context.WithCancelCause(l.ctx)
	var beating sync.WaitGroup
	beating.Go(func() { l.beat(ctx, cancel) })
	err := f(ctx)
	if cause := context.Cause(ctx); errors.Is(cause, errLockLost) {
		err = errors.Join(cause, err)
	}
	cancel(nil)
	beating.Wait()
	l.release()
	return err
}

// beat shows now and then that the holder is there, until ctx ends.
func (l *lock) beat(ctx context.Context, lost context.CancelCauseFunc) {
	ticker := time.NewTicker(l.times.beat)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		began := time.Now()
		holder, err := l.holder(ctx)
		if err == nil && holder.ID != l.id {
			lost(errLockLost)
			return
		}
		if err == nil {
			err = l.conn.Exec(ctx, "ALTER TABLE "+lockTable+" MODIFY COMMENT "+quoteText(l.comment()))
		}
		switch {
		case err == nil:
			l.beaten = began
		case ctx.Err() == nil && l.stale():
			lost(errors.Join(errLockLost, err))
			return
		}
	}
}

// stale tells whether another might hold the lock to be free soon.
func (l *lock) stale() bool { return time.Since(l.beaten) > l.times.expiry/2 }

// releaseTimeout bounds giving the lock back, also after the end of the context.
const releaseTimeout = 5 * time.Second

// release gives the lock back. What is not given back expires.
func (l *lock) release() {
	if l.stale() {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(l.ctx), releaseTimeout)
	defer cancel()
	holder, err := l.holder(ctx)
	if err == nil && holder.ID == l.id {
		err = l.conn.Exec(ctx, "DROP TABLE "+lockTable+" SYNC")
	}
	if err != nil {
		l.log.Warn("the migration lock could not be given back: the next migration waits until it expires", "database", l.database, "error", err)
	}
}
