package storage

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"tapwatch/storage/native"
)

// clusterSettings are those of tapwatch's own queries to a cluster.
var clusterSettings = clickhouse.Settings{
	// Who looks for intruders must not overlook a shard, whatever the user's profile says.
	"skip_unavailable_shards": 0,
	// Of the replicas the first that answers is asked, for flows are stored there too: on
	// the others they arrive a little later.
	"load_balancing":           "in_order",
	"prefer_localhost_replica": 0,
	// What was inserted is there when the insert returns.
	"distributed_foreground_insert": 1,
}

// node is a ClickHouse server that holds rows. Without a cluster it is whichever address
// of the endpoint answers.
type node struct {
	Endpoint
	shard, replica int // from 1
	bulk           *native.Client

	mu sync.Mutex
	// away is why its tables are not known to be up to date; nil: they are.
	away error
	// failed is when an insert failed last.
	failed time.Time
}

// errNew is why a node's tables are not known to be up to date before Migrate.
var errNew = errors.New("its tables were not brought up to date yet")

func newNode(e Endpoint, shard, replica int) *node {
	return &node{Endpoint: e, shard: shard, replica: replica, bulk: native.New(e.bulkOptions()), away: errNew}
}

// String names the node as people look for it.
func (n *node) String() string {
	return fmt.Sprintf("clickhouse at %s (shard %d, replica %d)", strings.Join(n.Addresses, ", "), n.shard, n.replica)
}

// ready says why flows cannot be stored on the node yet, if they cannot.
func (n *node) ready() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.away
}

func (n *node) set(away error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.away = away
}

// recentFailure is for how long a replica that failed is tried after the others.
const recentFailure = 30 * time.Second

// onReplica calls insert with a replica of the shard that can take rows. What seemed to
// fail on one may have been stored, and then every replica knows its token.
func (s *Store) onReplica(ctx context.Context, shard int, insert func(*node) error) error {
	replicas := slices.Clone(s.shards[shard])
	slices.SortStableFunc(replicas, func(a, b *node) int { return a.troubled() - b.troubled() })
	var all []error
	for _, n := range replicas {
		err := n.ready()
		tried := err == nil || s.layout.cluster == ""
		if tried {
			if err = insert(n); err == nil {
				return nil
			}
			n.noteFailure(err)
		}
		if s.layout.cluster != "" {
			err = fmt.Errorf("%s: %w", n, err)
		}
		all = append(all, err)
		if ctx.Err() != nil || tried && errorKind(err) == errorPermanent {
			break
		}
	}
	return errors.Join(all...)
}

// troubled is 1 for a node that failed lately, else 0.
func (n *node) troubled() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.failed.IsZero() || time.Since(n.failed) > recentFailure {
		return 0
	}
	return 1
}

// noteFailure remembers that an insert failed. A node without the tables is one that was
// replaced: it gets them.
func (n *node) noteFailure(err error) {
	code, _ := exceptionCode(err)
	n.mu.Lock()
	defer n.mu.Unlock()
	n.failed = time.Now()
	if code == codeUnknownTable || code == codeUnknownDatabase {
		n.away = err
	}
}

// Shards is how many shards hold the flows: 1 without a cluster.
func (s *Store) Shards() int { return len(s.shards) }

// nodes gives all nodes, shard by shard.
func (s *Store) nodes() (all []*node) {
	for _, replicas := range s.shards {
		all = append(all, replicas...)
	}
	return all
}

// clusterRow is a node as system.clusters knows it.
type clusterRow struct {
	Shard    uint32 `ch:"shard_num"`
	Replica  uint32 `ch:"replica_num"`
	Host     string `ch:"host_name"`
	Port     uint16 `ch:"port"`
	Internal uint8  `ch:"internal_replication"`
}

// findNodes learns which nodes hold the flows. Those that are there later are found at
// the next start.
func (s *Store) findNodes(ctx context.Context, e Endpoint) error {
	if e.Cluster == "" {
		s.shards = [][]*node{{newNode(e, 1, 1)}}
		return nil
	}
	var rows []clusterRow
	err := s.admin.Select(ctx, &rows, `
		SELECT shard_num, replica_num, host_name, port, internal_replication
		FROM system.clusters WHERE cluster = {cluster:String} ORDER BY shard_num, replica_num`,
		clickhouse.Named("cluster", e.Cluster))
	if err != nil {
		return fmt.Errorf("read the nodes of cluster %s: %w", e.Cluster, err)
	}
	if len(rows) == 0 {
		return fmt.Errorf("clickhouse at %s knows no cluster %q: see remote_servers in its configuration, or storage.cluster", strings.Join(e.Addresses, ", "), e.Cluster)
	}
	s.shards, err = arrange(rows, e)
	return err
}

// arrange makes the nodes of each shard.
func arrange(rows []clusterRow, e Endpoint) (shards [][]*node, err error) {
	for _, r := range rows {
		if int(r.Shard) > len(shards) {
			shards = append(shards, nil)
		}
		at := e
		at.Addresses = []string{net.JoinHostPort(r.Host, strconv.Itoa(int(r.Port)))}
		last := &shards[len(shards)-1]
		*last = append(*last, newNode(at, int(r.Shard), int(r.Replica)))
		if len(*last) > 1 && !e.Replicated {
			return nil, fmt.Errorf("shard %d of cluster %s has several replicas, and what is stored on one would be missing on the others: set storage.replicated, which needs ClickHouse Keeper", r.Shard, e.Cluster)
		}
		if e.Replicated && r.Internal == 0 {
			return nil, fmt.Errorf("shard %d of cluster %s would store each row once for each replica: set internal_replication of it to true in remote_servers", r.Shard, e.Cluster)
		}
	}
	return shards, nil
}

// eachShard calls f with a connection to the first replica of each shard that answers.
func (s *Store) eachShard(ctx context.Context, f func(driver.Conn) error) error {
	if s.layout.cluster == "" {
		return f(s.conn)
	}
	for _, replicas := range s.shards {
		at := replicas[0].Endpoint
		at.Addresses = nil
		for _, n := range replicas {
			at.Addresses = append(at.Addresses, n.Addresses...)
		}
		conn, err := clickhouse.Open(at.options(at.Database))
		if err != nil {
			return err
		}
		if err := errors.Join(f(conn), conn.Close()); err != nil {
			return fmt.Errorf("shard %d: %w", replicas[0].shard, err)
		}
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
	}
	return nil
}

// retryEvery is how long is waited between attempts to reach ClickHouse, and so how
// often it is said that it cannot be reached.
const retryEvery = 3 * time.Second

// follow brings the tables of nodes up to date that could not be reached, or were
// replaced by empty ones, until ctx ends.
func (s *Store) follow(ctx context.Context, keep Retention) {
	ticker := time.NewTicker(retryEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		for _, n := range s.nodes() {
			if n.ready() == nil {
				continue
			}
			switch err := s.migrateNode(ctx, n, keep); {
			case ctx.Err() != nil:
				return
			case err == nil:
				s.log.Info("clickhouse node is there, its tables are up to date", "node", n)
			case s.noisy.Allow():
				s.log.Warn("clickhouse node cannot be used yet, trying again", "node", n, "error", err)
			}
		}
	}
}

// Missing are the nodes whose tables could not be brought up to date so far, each with
// the reason. They are tried again until the store is closed.
func (s *Store) Missing() (all []error) {
	for _, n := range s.nodes() {
		if err := n.ready(); err != nil {
			all = append(all, fmt.Errorf("%s: %w", n, err))
		}
	}
	return all
}
