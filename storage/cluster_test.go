package storage

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/google/go-cmp/cmp"

	"tapwatch/storage/native"
)

func TestArrange(t *testing.T) {
	row := func(shard, replica uint32, host string, internal uint8) clusterRow {
		return clusterRow{shard, replica, host, 9000, internal}
	}
	for _, c := range []struct {
		name       string
		rows       []clusterRow
		replicated bool
		want       [][]string
		err        string
	}{
		{"two shards", []clusterRow{row(1, 1, "a", 0), row(2, 1, "2001:db8::1", 0)}, false, [][]string{{"a:9000"}, {"[2001:db8::1]:9000"}}, ""},
		{"replicas", []clusterRow{row(1, 1, "a", 1), row(1, 2, "b", 1), row(2, 1, "c", 1)}, true, [][]string{{"a:9000", "b:9000"}, {"c:9000"}}, ""},
		{"replicas of tables that do not replicate", []clusterRow{row(1, 1, "a", 1), row(1, 2, "b", 1)}, false, nil, "set storage.replicated"},
		{"rows sent to each replica", []clusterRow{row(1, 1, "a", 0)}, true, nil, "set internal_replication"},
	} {
		t.Run(c.name, func(t *testing.T) {
			shards, err := arrange(c.rows, Endpoint{Cluster: "carrier", Replicated: c.replicated, Database: "d"})
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Errorf("error %v, want %q", err, c.err)
				}
				return
			}
			var got [][]string
			for i, replicas := range shards {
				got = append(got, nil)
				for j, n := range replicas {
					got[i] = append(got[i], n.Addresses...)
					if n.shard != i+1 || n.replica != j+1 || n.Database != "d" {
						t.Errorf("node %d of shard %d is %s in %s", j+1, i+1, n, n.Database)
					}
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" || err != nil {
				t.Errorf("error %v, nodes (-want +got):\n%s", err, diff)
			}
		})
	}
}

// replicas are two of one shard, with up to date tables.
func replicas(t *testing.T) *Store {
	t.Helper()
	shards, err := arrange([]clusterRow{{1, 1, "a", 1, 1}, {1, 2, "b", 1, 1}}, Endpoint{Cluster: "c", Replicated: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range shards[0] {
		n.set(nil)
	}
	return &Store{shards: shards, layout: layout{cluster: "c", replicated: true}}
}

func TestInsertsGoToTheNextReplica(t *testing.T) {
	s := replicas(t)
	var asked []string
	down := map[string]error{"a:1": errors.New("connection refused")}
	insert := func(n *node) error {
		asked = append(asked, n.Addresses[0])
		return down[n.Addresses[0]]
	}
	check := func(what string, want ...string) {
		t.Helper()
		if diff := cmp.Diff(want, asked); diff != "" {
			t.Errorf("%s (-want +asked):\n%s", what, diff)
		}
		asked = nil
	}
	for _, want := range [][]string{{"a:1", "b:1"}, {"b:1"}} {
		if err := s.onReplica(t.Context(), 0, insert); err != nil {
			t.Fatal(err)
		}
		check("one that failed lately comes last", want...)
	}
	down["b:1"] = errors.New("read-only")
	err := s.onReplica(t.Context(), 0, insert)
	check("when all have failed", "b:1", "a:1")
	if err == nil || !strings.Contains(err.Error(), "clickhouse at a:1 (shard 1, replica 1): connection refused") || !strings.Contains(err.Error(), "read-only") {
		t.Errorf("the error of two replicas is %v", err)
	}

	down["a:1"] = &native.Exception{Code: 53} // the records themselves are wrong
	down["b:1"] = nil
	s = replicas(t)
	if err := s.onReplica(t.Context(), 0, insert); errorKind(err) != errorPermanent {
		t.Errorf("records that no replica will ever take: %v", err)
	}
	check("nothing is tried in vain", "a:1")
}

// A node without the tables takes nothing until it has them.
func TestReplacedNodeIsLeftOut(t *testing.T) {
	s := replicas(t)
	first := s.shards[0][0]
	insert := func(n *node) error {
		if n == first {
			return fmt.Errorf("insert: %w", &native.Exception{Code: codeUnknownTable})
		}
		return nil
	}
	if err := s.onReplica(t.Context(), 0, insert); err != nil {
		t.Fatal(err)
	}
	if missing := s.Missing(); len(missing) != 1 || !strings.Contains(missing[0].Error(), "a:1") {
		t.Errorf("Missing gives %v", missing)
	}
	err := s.onReplica(t.Context(), 0, func(n *node) error {
		if n == first {
			t.Error("the node without tables is asked again")
		}
		return context.DeadlineExceeded
	})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
}

func TestShardAwayInWords(t *testing.T) {
	said := &clickhouse.Exception{Code: 279, Message: "All connection tries failed. Log: \n\n" +
		"Code: 210. DB::NetException: Connection refused (b:1). (NETWORK_ERROR) (version 26.7.2.1)\n" +
		"Code: 210. DB::NetException: Connection refused (b:1). (NETWORK_ERROR) (version 26.7.2.1)\n\n: While executing Remote"}
	const words = "the shard at b:1 cannot be reached, and what it holds would be missing: start ClickHouse there again (tapwatch keeps new flows for it meanwhile)"
	if got := replicas(t).orAway(fmt.Errorf("x: %w", said)).Error(); got != "shard 1 of 1: "+words {
		t.Errorf("a detector is told %q", got)
	}
	if got := Explain("SELECT 1", said).Error(); got != words+". To see what the others hold: SETTINGS skip_unavailable_shards = 1" {
		t.Errorf("a hunter is told %q", got)
	}
	if got := (&Store{}).orAway(said); !errors.As(got, new(*clickhouse.Exception)) {
		t.Errorf("ClickHouse's own error is lost: %v", got)
	}
	subquery := &clickhouse.Exception{Code: 288, Message: "Double-distributed IN/JOIN subqueries is denied"}
	if got := Explain("SELECT 1", subquery).Error(); !strings.Contains(got, "write GLOBAL IN") {
		t.Errorf("of a subquery on a cluster: %q", got)
	}
}
