package storage

import (
	"context"
	"io/fs"
	"time"
)

// SetLockTimes changes how often the holder of the migration lock shows that it is
// there, and after how long without that it is held to be dead.
func SetLockTimes(s *Store, beat, expiry time.Duration) { s.lockTimes = lockTimes{beat, expiry} }

// WithMigrationLock runs f with the migration lock. The holder shows that it is there
// only when f runs, after begin has returned.
func WithMigrationLock(ctx context.Context, s *Store, begin func(), f func(context.Context) error) error {
	m := &migrator{admin: s.admin, conn: s.conn, database: s.database, layout: s.layout, times: s.lockTimes, log: s.log}
	l, err := m.lock(ctx)
	if err != nil {
		return err
	}
	begin()
	return l.during(f)
}

// Statements gives the statements of the migrations, by name, for a layout.
func Statements(cluster string, replicated bool) (map[string]string, error) {
	migrations, err := loadMigrations(migrationFiles, "migrations", layout{cluster: cluster, replicated: replicated})
	all := map[string]string{}
	for _, m := range migrations {
		all[m.name] = m.statement
	}
	return all, err
}

// StatementsOf is Statements, in order, for other migrations.
func StatementsOf(files fs.FS, dir, cluster string) (all []string, err error) {
	migrations, err := loadMigrations(files, dir, layout{cluster: cluster})
	for _, m := range migrations {
		all = append(all, m.statement)
	}
	return all, err
}
