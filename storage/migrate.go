package storage

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// createMigrations makes the table that records what was applied.
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

// migration is one idempotent statement.
type migration struct {
	name, statement, checksum string
}

// replaces tells whether the statement may change after it was applied: it defines
// something without data anew, so applying it again is all there is to a change.
func (m migration) replaces() bool { return strings.HasPrefix(m.statement, "CREATE OR REPLACE ") }

// Migrate creates the database and brings its tables up to date. It may run at any
// time and from several processes at once. A migration that was changed after it
// was applied is an error, except where it starts with CREATE OR REPLACE: then it is
// applied again.
func (s *Store) Migrate(ctx context.Context, keep Retention) error {
	if err := s.admin.Exec(ctx, "CREATE DATABASE IF NOT EXISTS "+quoteName(s.database)+" ENGINE = Atomic"); err != nil {
		return fmt.Errorf("create database %s: %w", s.database, err)
	}
	if err := s.conn.Exec(ctx, createMigrations); err != nil {
		return fmt.Errorf("create table schema_migrations: %w", err)
	}
	migrations, err := loadMigrations(migrationFiles, "migrations")
	if err != nil {
		return err
	}
	if err := s.applyMigrations(ctx, migrations); err != nil {
		return err
	}
	return s.applyRetention(ctx, keep)
}

func loadMigrations(files fs.FS, dir string) ([]migration, error) {
	names, err := fs.Glob(files, path.Join(dir, "*.sql"))
	if err != nil {
		return nil, fmt.Errorf("list the migrations: %w", err)
	}
	slices.Sort(names)
	var all []migration
	for _, name := range names {
		data, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, fmt.Errorf("read a migration: %w", err)
		}
		statement := strings.TrimSpace(string(data))
		sum := sha256.Sum256([]byte(statement))
		all = append(all, migration{path.Base(name), statement, hex.EncodeToString(sum[:])})
	}
	return all, nil
}

func (s *Store) applyMigrations(ctx context.Context, migrations []migration) error {
	applied, err := s.appliedMigrations(ctx)
	if err != nil {
		return err
	}
	for _, m := range migrations {
		checksum, done := applied[m.name]
		delete(applied, m.name)
		switch {
		case done && checksum == m.checksum:
			continue
		case done && !m.replaces():
			return fmt.Errorf("migration %s was changed after it was applied to database %s: restore it, and put the change into a new file", m.name, s.database)
		}
		if err := s.apply(ctx, m); err != nil {
			return err
		}
	}
	for name := range applied {
		s.log.Warn("database has a migration of a newer tapwatch", "database", s.database, "migration", name)
	}
	return nil
}

// appliedMigrations gives the checksums of what was applied, by name.
func (s *Store) appliedMigrations(ctx context.Context) (map[string]string, error) {
	var rows []struct {
		Name     string `ch:"name"`
		Checksum string `ch:"checksum"`
	}
	if err := s.Select(ctx, &rows, "SELECT name, checksum FROM schema_migrations FINAL"); err != nil {
		return nil, fmt.Errorf("read the applied migrations: %w", err)
	}
	applied := make(map[string]string, len(rows))
	for _, row := range rows {
		applied[row.Name] = row.Checksum
	}
	return applied, nil
}

func (s *Store) apply(ctx context.Context, m migration) error {
	if err := s.conn.Exec(ctx, m.statement); err != nil {
		return fmt.Errorf("apply migration %s: %w", m.name, err)
	}
	err := s.conn.Exec(ctx, "INSERT INTO schema_migrations (name, checksum, applied_at) VALUES ({name:String}, {checksum:String}, {at:DateTime64(3)})",
		clickhouse.Named("name", m.name), clickhouse.Named("checksum", m.checksum),
		clickhouse.DateNamed("at", time.Now().UTC(), clickhouse.MilliSeconds))
	if err != nil {
		return fmt.Errorf("record migration %s: %w", m.name, err)
	}
	s.log.Info("migration applied", "migration", m.name, "database", s.database)
	return nil
}

// quoteName quotes an identifier.
func quoteName(name string) string {
	return "`" + strings.NewReplacer(`\`, `\\`, "`", "\\`").Replace(name) + "`"
}

// Drop removes the database with all it holds. It is for tests.
func (s *Store) Drop(ctx context.Context) error {
	return s.admin.Exec(ctx, "DROP DATABASE IF EXISTS "+quoteName(s.database)+" SYNC")
}
