package testkit_test

import (
	"testing"

	"tapwatch/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

func TestStoreIsFreshAndDropped(t *testing.T) {
	var first string
	t.Run("a test", func(t *testing.T) {
		s := testkit.Store(t)
		first = s.Database()
		if err := s.Exec(t.Context(), "INSERT INTO flows (bytes) VALUES (1)"); err != nil {
			t.Fatal(err)
		}
	})
	s := testkit.Store(t)
	for query, want := range map[string]uint64{
		"SELECT count() FROM flows":                                                0,
		"SELECT count() FROM system.databases WHERE name = '" + first + "'":        0,
		"SELECT count() FROM system.databases WHERE name = '" + s.Database() + "'": 1,
	} {
		var got uint64
		if err := s.QueryRow(t.Context(), query).Scan(&got); err != nil || got != want {
			t.Errorf("%s = %d (error %v), want %d", query, got, err, want)
		}
	}
}
