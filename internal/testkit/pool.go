package testkit

import (
	"context"
	"sync"
	"testing"

	"tapwatch/storage"
)

// used are the migrated databases that a test is done with. Making one costs a second of
// a small machine, emptying one some milliseconds.
var used pool

type pool struct {
	mu   sync.Mutex
	idle []string
	// schema is what the tables of a new database are like.
	schema uint64
}

// borrow opens a store on a database for the test alone: an emptied one or, where there
// is none, a new one.
func (p *pool) borrow(t testing.TB, endpoint storage.Endpoint) *storage.Store {
	t.Helper()
	var fresh bool
	endpoint.Database, fresh = p.name()
	t.Cleanup(func() {
		if err := p.giveBack(t, endpoint); err != nil {
			t.Errorf("empty the test's database for the next test: %v", err)
		}
	})
	s := migrated(t, endpoint)
	if fresh {
		schema, err := describe(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		p.schema = schema
	}
	return s
}

func (p *pool) name() (name string, fresh bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	last := len(p.idle) - 1
	if last < 0 {
		return newName(), true
	}
	name, p.idle = p.idle[last], p.idle[:last]
	return name, false
}

// giveBack empties a database for the next test; one whose tables the test has changed is
// dropped.
func (p *pool) giveBack(t testing.TB, endpoint storage.Endpoint) error {
	ctx := context.Background()
	s := Open(t, endpoint)
	schema, err := describe(ctx, s)
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if t.Failed() || schema != p.schema {
		return s.Drop(ctx)
	}
	var tables []struct {
		Name string `ch:"name"`
	}
	// What has parts, whole, deleted or merged away: its log of insert tokens goes with them.
	if err := s.Select(ctx, &tables, `SELECT DISTINCT table AS name FROM system.parts
		WHERE database = currentDatabase() AND table != 'schema_migrations'`); err != nil {
		return err
	}
	for _, table := range tables {
		if err := s.Exec(ctx, "TRUNCATE TABLE "+table.Name); err != nil {
			return err
		}
	}
	p.idle = append(p.idle, endpoint.Database)
	return nil
}

// describe is a hash of what the tables of a database are like.
func describe(ctx context.Context, s *storage.Store) (schema uint64, err error) {
	return schema, s.QueryRow(ctx, `SELECT cityHash64(groupArray(replaceAll(create_table_query, currentDatabase(), '')))
		FROM (SELECT create_table_query FROM system.tables WHERE database = currentDatabase() ORDER BY name)`).Scan(&schema)
}
