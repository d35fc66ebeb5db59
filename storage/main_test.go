package storage_test

import (
	"testing"

	"tapwatch/internal/testkit"
	"tapwatch/storage"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// scan reads one value.
func scan[T any](t *testing.T, s *storage.Store, query string, args ...any) T {
	t.Helper()
	var v T
	if err := s.QueryRow(t.Context(), query, args...).Scan(&v); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return v
}
