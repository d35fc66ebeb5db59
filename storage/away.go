package storage

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// codeAllConnectionTriesFailed is ClickHouse's error of a query that needs a node of the
// cluster which no replica stands in for.
const codeAllConnectionTriesFailed = 279

// awayError is that error in words: ClickHouse's own are a log of attempts.
type awayError struct {
	words string
	err   error
}

func (e *awayError) Error() string { return e.words }
func (e *awayError) Unwrap() error { return e.err }

var attempted = regexp.MustCompile(`\(([^()\s,]+:\d+)`)

// awayWords tell which nodes a query could not reach.
func awayWords(message string) string {
	var nodes []string
	for _, m := range attempted.FindAllStringSubmatch(message, -1) {
		if !slices.Contains(nodes, m[1]) {
			nodes = append(nodes, m[1])
		}
	}
	which := "a shard of the cluster"
	if len(nodes) > 0 {
		which = "the shard at " + strings.Join(nodes, ", ")
	}
	return which + " cannot be reached, and what it holds would be missing: start ClickHouse there again (tapwatch keeps new flows for it meanwhile)"
}

// orAway gives the error of a query to a cluster in words, where a shard is not there.
func (s *Store) orAway(err error) error {
	var said *clickhouse.Exception
	if !errors.As(err, &said) || said.Code != codeAllConnectionTriesFailed {
		return err
	}
	words := awayWords(said.Message)
	for _, n := range s.nodes() {
		if s.layout.cluster != "" && strings.Contains(words, n.Addresses[0]) {
			words = fmt.Sprintf("shard %d of %d: %s", n.shard, len(s.shards), words)
			break
		}
	}
	return &awayError{words, err}
}

// row is a driver.Row whose errors are in words.
type row struct {
	driver.Row
	store *Store
}

func (r row) Err() error                { return r.store.orAway(r.Row.Err()) }
func (r row) Scan(dest ...any) error    { return r.store.orAway(r.Row.Scan(dest...)) }
func (r row) ScanStruct(dest any) error { return r.store.orAway(r.Row.ScanStruct(dest)) }
