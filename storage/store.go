package storage

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"golang.org/x/time/rate"

	"tapwatch/storage/native"
)

// Store is an open ClickHouse. Safe for concurrent use.
type Store struct {
	conn     driver.Conn // in the database
	admin    driver.Conn // in no database that could be missing
	shards   [][]*node   // the replicas of each; without a cluster one of one
	encoders sync.Pool   // of *native.Encoder
	database string
	layout   layout
	log      *slog.Logger
	noisy    *rate.Limiter // of the message that a node is not there
	// insertTimeout bounds one insert of flows into one node. A writer sets it when it is
	// attached.
	insertTimeout time.Duration

	lockTimes lockTimes
	findings  sync.Mutex // held by whoever writes findings
	following sync.Once
	life      context.Context // ends with Close
	stop      context.CancelFunc
	running   sync.WaitGroup
}

// Open connects. As long as ClickHouse cannot be reached it tries again, says so
// every few seconds, and gives up when ctx ends; a refused user is an error at once.
// The database need not exist yet: see Migrate.
func Open(ctx context.Context, e Endpoint, logger *slog.Logger) (*Store, error) {
	admin, err := clickhouse.Open(e.options("system"))
	if err != nil {
		return nil, fmt.Errorf("set up the connection to clickhouse: %w", err)
	}
	conn, err := clickhouse.Open(e.options(e.Database))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("set up the connection to clickhouse: %w", err), admin.Close())
	}
	s := &Store{
		conn: conn, admin: admin,
		encoders: sync.Pool{New: func() any { return native.NewEncoder() }},
		database: e.Database, layout: layout{cluster: e.Cluster, replicated: e.Replicated, partition: e.Partition},
		insertTimeout: insertTimeout,
		lockTimes:     defaultLockTimes, log: logger.With("component", "storage"), noisy: rate.NewLimiter(rate.Every(time.Minute), 1),
	}
	s.life, s.stop = context.WithCancel(context.WithoutCancel(ctx))
	err = s.waitReachable(ctx, e)
	if err == nil {
		err = s.findNodes(ctx, e)
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (e Endpoint) options(database string) *clickhouse.Options {
	options := &clickhouse.Options{
		Addr:             e.Addresses,
		Auth:             clickhouse.Auth{Database: database, Username: e.Username, Password: e.Password},
		ClientInfo:       clickhouse.ClientInfo{Products: []struct{ Name, Version string }{{"tapwatch", ""}}},
		Compression:      &clickhouse.Compression{Method: clickhouse.CompressionLZ4},
		ConnOpenStrategy: clickhouse.ConnOpenInOrder,
		DialTimeout:      5 * time.Second,
		MaxOpenConns:     16,
		MaxIdleConns:     8,
	}
	options.TLS = e.tls()
	if e.Cluster != "" {
		options.Settings = clusterSettings
	}
	return options
}

// tls is how TLS is spoken; nil where it is not.
func (e Endpoint) tls() *tls.Config {
	if !e.Secure {
		return nil
	}
	return &tls.Config{}
}

func (s *Store) waitReachable(ctx context.Context, e Endpoint) error {
	began := time.Now()
	for {
		err := s.admin.Ping(ctx)
		if err == nil {
			return nil
		}
		if refused(err) {
			return fmt.Errorf("clickhouse at %v refuses user %q: %w", e.Addresses, e.Username, err)
		}
		if ctx.Err() == nil {
			s.log.Warn("clickhouse cannot be reached, trying again", "addresses", e.Addresses,
				"error", err, "waited", time.Since(began).Round(time.Second), "next_in", retryEvery)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("reach clickhouse at %v: %w (%w)", e.Addresses, err, context.Cause(ctx))
		case <-time.After(retryEvery):
		}
	}
}

// Close ends the connections.
func (s *Store) Close() error {
	s.stop()
	s.running.Wait()
	all := []error{s.conn.Close(), s.admin.Close()}
	for _, n := range s.nodes() {
		all = append(all, n.bulk.Close())
	}
	return errors.Join(all...)
}

// Database is the name of the database that holds the tables.
func (s *Store) Database() string { return s.database }

// Ping asks whether ClickHouse answers.
func (s *Store) Ping(ctx context.Context) error { return s.admin.Ping(ctx) }

// Select runs the query and fills dest, a pointer to a slice of structs with `ch`
// tags. Args replace ? or {name:Type} in the query.
func (s *Store) Select(ctx context.Context, dest any, query string, args ...any) error {
	return s.orAway(s.conn.Select(ctx, dest, query, args...))
}

// Query runs the query and gives its rows, which the caller closes.
func (s *Store) Query(ctx context.Context, query string, args ...any) (driver.Rows, error) {
	rows, err := s.conn.Query(ctx, query, args...)
	return rows, s.orAway(err)
}

// QueryRow runs a query of which one row is wanted; its Scan gives sql.ErrNoRows
// where there is none.
func (s *Store) QueryRow(ctx context.Context, query string, args ...any) driver.Row {
	return row{s.conn.QueryRow(ctx, query, args...), s}
}

// Exec runs a statement that gives no rows.
func (s *Store) Exec(ctx context.Context, query string, args ...any) error {
	return s.orAway(s.conn.Exec(ctx, query, args...))
}
