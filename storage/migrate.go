package storage

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// createMigrations makes the table that records what was applied. In a cluster each node
// has its own.
const createMigrations = `
CREATE TABLE IF NOT EXISTS schema_migrations
(
    name String COMMENT 'File of the migration.',
    checksum String COMMENT 'SHA-256 of its statement.',
    applied_at DateTime64(3, 'UTC') COMMENT 'When it was applied.'
)
ENGINE = ReplacingMergeTree(applied_at)
ORDER BY name
COMMENT 'Migrations that were applied to this database.'`

// Migrate creates the database and brings its tables up to date, in a cluster node by
// node. It may run at any time and from several processes at once. A migration that was
// changed after it was applied is an error, except where it starts with CREATE OR
// REPLACE: then it is applied again.
//
// A node of a cluster that cannot be reached is no error, unless none can: it is tried
// again until the store is closed, and takes no flows before; see Missing.
func (s *Store) Migrate(ctx context.Context, keep Retention) error {
	reached := false
	var away []error
	for _, n := range s.nodes() {
		err := s.migrateNode(ctx, n, keep)
		switch {
		case err == nil:
			reached = true
		case s.layout.cluster == "":
			return err
		case ctx.Err() != nil || errorKind(err) != errorUnreachable || errors.Is(err, errMigration):
			return fmt.Errorf("%s: %w", n, err)
		default:
			s.log.Warn("clickhouse node cannot be reached: it is left out until it can", "node", n, "error", err)
			away = append(away, fmt.Errorf("%s: %w", n, err))
		}
	}
	if !reached {
		return errors.Join(away...)
	}
	if s.layout.cluster != "" {
		s.following.Do(func() { s.running.Go(func() { s.follow(s.life, keep) }) })
	}
	return nil
}

// migrateNode brings the tables of one node up to date.
func (s *Store) migrateNode(ctx context.Context, n *node, keep Retention) (err error) {
	defer func() { n.set(err) }()
	m := &migrator{admin: s.admin, conn: s.conn, database: s.database, layout: s.layout, keep: keep, times: s.lockTimes, log: s.log}
	if s.layout.cluster != "" {
		if m.admin, err = clickhouse.Open(n.options("system")); err != nil {
			return err
		}
		defer m.admin.Close()
		if m.conn, err = clickhouse.Open(n.options(n.Database)); err != nil {
			return err
		}
		defer m.conn.Close()
		m.log = s.log.With("node", n)
		if err = m.reach(ctx); err != nil {
			return err
		}
	}
	return m.run(ctx)
}

// migrator brings the tables of one server up to date.
type migrator struct {
	conn     driver.Conn // in the database
	admin    driver.Conn // in no database that could be missing
	database string
	layout   layout
	keep     Retention
	times    lockTimes
	log      *slog.Logger
}

// reachTimeout bounds how long a node may take to say that it is there.
const reachTimeout = 10 * time.Second

func (m *migrator) reach(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, reachTimeout)
	defer cancel()
	return m.admin.Ping(ctx)
}

func (m *migrator) run(ctx context.Context) error {
	if err := m.admin.Exec(ctx, "CREATE DATABASE IF NOT EXISTS "+quoteName(m.database)+" ENGINE = Atomic"); err != nil {
		return fmt.Errorf("create database %s: %w", m.database, err)
	}
	if err := m.conn.Exec(ctx, createMigrations); err != nil {
		return fmt.Errorf("create table schema_migrations: %w", err)
	}
	if err := m.keepPartition(ctx); err != nil {
		return err
	}
	migrations, err := loadMigrations(migrationFiles, "migrations", m.layout)
	if err != nil {
		return err
	}
	// Mostly there is nothing to do, and then nobody need wait for anybody.
	if missing, err := m.missing(ctx, migrations); err != nil {
		return err
	} else if len(missing) == 0 {
		if changes, err := m.retentionChanges(ctx); err != nil || len(changes) == 0 {
			return err
		}
	}
	l, err := m.lock(ctx)
	if err != nil {
		return err
	}
	return l.during(func(ctx context.Context) error {
		if err := m.applyMissing(ctx, migrations); err != nil {
			return err
		}
		return m.applyRetention(ctx)
	})
}

// errMigration is what is wrong with the migrations themselves.
var errMigration = errors.New("its tables are of another tapwatch, from before a release: take a new storage.embedded.data_dir or storage.clickhouse.database (whoever changed the migration: restore it, and put the change into a new file)")

// missing gives the migrations that are to be applied, in order.
func (m *migrator) missing(ctx context.Context, migrations []migration) (missing []migration, err error) {
	applied, err := m.applied(ctx)
	if err != nil {
		return nil, err
	}
	for _, g := range migrations {
		checksum, done := applied[g.name]
		delete(applied, g.name)
		switch {
		case done && checksum == g.checksum:
			continue
		case done && !g.replaces():
			return nil, fmt.Errorf("migration %s was changed after it was applied to database %s: %w", g.name, m.database, errMigration)
		}
		missing = append(missing, g)
	}
	for name := range applied {
		m.log.Warn("database has a migration of a newer tapwatch", "database", m.database, "migration", name)
	}
	return missing, nil
}

// applied gives the checksums of what was applied, by name.
func (m *migrator) applied(ctx context.Context) (map[string]string, error) {
	var rows []struct {
		Name     string `ch:"name"`
		Checksum string `ch:"checksum"`
	}
	if err := m.conn.Select(ctx, &rows, "SELECT name, checksum FROM schema_migrations FINAL"); err != nil {
		return nil, fmt.Errorf("read the applied migrations: %w", err)
	}
	applied := make(map[string]string, len(rows))
	for _, row := range rows {
		applied[row.Name] = row.Checksum
	}
	return applied, nil
}

func (m *migrator) applyMissing(ctx context.Context, migrations []migration) error {
	missing, err := m.missing(ctx, migrations) // anew: another may just have done it
	if err != nil {
		return err
	}
	for _, g := range missing {
		if err := m.apply(ctx, g); err != nil {
			return err
		}
	}
	return nil
}

func (m *migrator) apply(ctx context.Context, g migration) error {
	if err := m.conn.Exec(ctx, g.statement); err != nil {
		return fmt.Errorf("apply migration %s: %w", g.name, err)
	}
	err := m.conn.Exec(ctx, "INSERT INTO schema_migrations (name, checksum, applied_at) VALUES ({name:String}, {checksum:String}, {at:DateTime64(3)})",
		clickhouse.Named("name", g.name), clickhouse.Named("checksum", g.checksum),
		clickhouse.DateNamed("at", time.Now().UTC(), clickhouse.MilliSeconds))
	if err != nil {
		return fmt.Errorf("record migration %s: %w", g.name, err)
	}
	m.log.Info("migration applied", "migration", g.name, "database", m.database)
	return nil
}

// Drop removes the database with all it holds, in a cluster from every node. It is for
// tests.
func (s *Store) Drop(ctx context.Context) error {
	drop := "DROP DATABASE IF EXISTS " + quoteName(s.database) + " SYNC"
	if s.layout.cluster == "" {
		return s.admin.Exec(ctx, drop)
	}
	for _, n := range s.nodes() {
		admin, err := clickhouse.Open(n.options("system"))
		if err != nil {
			return err
		}
		if err := errors.Join(admin.Exec(ctx, drop), admin.Close()); err != nil {
			return err
		}
	}
	return nil
}
