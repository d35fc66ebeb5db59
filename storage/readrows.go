package storage

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/ClickHouse/ch-go/proto"

	"tapwatch/storage/native"
)

// readRows runs a query and hands its blocks on in columns: for millions of rows, where
// structs filled by reflection would cost more than the query. Like other reads it is an
// error when a shard does not answer.
func (s *Store) readRows(ctx context.Context, query string, results proto.Results, take func(rows int) error) error {
	settings := []native.Setting{}
	if s.layout.cluster != "" {
		for name, value := range clusterSettings {
			settings = append(settings, native.Setting{Name: name, Value: fmt.Sprint(value)})
		}
	}
	for _, n := range s.shards[0] { // any node answers for all shards
		err := n.bulk.Select(ctx, query, settings, results, take)
		if err == nil || n == s.shards[0][len(s.shards[0])-1] {
			return s.orAway(err)
		}
	}
	return nil
}

// numbered names expressions c0, c1, …, so that results need not repeat them.
func numbered(expressions []string) string {
	var b strings.Builder
	for i, e := range expressions {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%s AS c%d", e, i)
	}
	return b.String()
}

// momentSQL is a moment in milliseconds, as an expression.
func momentSQL(t time.Time) string {
	return fmt.Sprintf("fromUnixTimestamp64Milli(toInt64(%d), 'UTC')", t.UnixMilli())
}
