package testkit

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"tapwatch/storage"
	"tapwatch/storage/embedded"
)

// ClusterName is the name of the test binary's cluster.
const ClusterName = "carrier"

// ClusterEnv names the variable of the environment that makes Database, and so Store, one
// on the cluster: the tests of a package then show that it works there too.
const ClusterEnv = "TAPWATCH_TEST_CLUSTER"

func clustered() bool { return os.Getenv(ClusterEnv) != "" }

// shards is how many nodes the cluster has, each of which is a shard.
const shards = 2

// nodes are the engines of the test binary's cluster.
var nodes Nodes

// Nodes are embedded engines that know each other as the shards of one cluster, with
// the same users and passwords.
type Nodes struct {
	mu      sync.Mutex
	started bool
	err     error // why they did not start
	dir     string
	engines [shards]engine
	configs [shards]embedded.Config
	states  [shards]embedded.State
}

// Cluster is the test binary's cluster, started now if it is not running yet. A test
// that stops a node finds it running again afterwards, and so does the next.
func Cluster(t testing.TB) *Nodes {
	t.Helper()
	nodes.mu.Lock()
	defer nodes.mu.Unlock()
	if !nodes.started {
		nodes.started, nodes.err = true, nodes.start()
	}
	if nodes.err != nil {
		t.Fatalf("tests need a cluster of embedded ClickHouses: %v", nodes.err)
	}
	return &nodes
}

func (n *Nodes) start() error {
	dir, err := newDir()
	if err != nil {
		return err
	}
	n.dir = dir
	// A node is told the ports of all before it starts. Another process may take one
	// meanwhile.
	for range 5 {
		if err = n.startOnFreePorts(); err == nil {
			return nil
		}
		if endErr := n.end(); endErr != nil {
			return errors.Join(err, endErr)
		}
	}
	return err
}

func (n *Nodes) startOnFreePorts() error {
	ports, err := freePorts(2 * shards)
	if err != nil {
		return err
	}
	cluster := embedded.Cluster{Name: ClusterName}
	for i := range n.states {
		n.states[i] = embedded.State{
			TCPPort: ports[2*i], HTTPPort: ports[2*i+1],
			Writer: embedded.Credentials{Username: "tapwatch", Password: "writes"},
			Reader: embedded.Credentials{Username: "reader", Password: "reads"},
		}
		cluster.Shards = append(cluster.Shards, n.states[i].WriterEndpoint())
	}
	for i := range n.engines {
		cfg := embedded.DefaultConfig()
		cfg.DataDir = filepath.Join(n.dir, fmt.Sprintf("node-%d", i+1))
		cfg.MaxMemoryBytes = 2 << 30
		cfg.TCPPort, cfg.HTTPPort, cfg.Cluster = ports[2*i], ports[2*i+1], cluster
		n.configs[i] = cfg
		state, err := json.Marshal(n.states[i])
		if err != nil {
			return err
		}
		if err := errors.Join(os.MkdirAll(cfg.DataDir, 0o700), os.WriteFile(filepath.Join(cfg.DataDir, "engine.json"), state, 0o600)); err != nil {
			return err
		}
	}
	var all [shards]error
	var group sync.WaitGroup
	for i := range n.engines {
		group.Go(func() { all[i] = n.engines[i].run(n.configs[i]) })
	}
	group.Wait()
	return errors.Join(all[:]...)
}

// freePorts gives ports on which nobody listens now.
func freePorts(count int) ([]uint16, error) {
	var ports []uint16
	for range count {
		l, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer l.Close()
		ports = append(ports, uint16(l.Addr().(*net.TCPAddr).Port))
	}
	return ports, nil
}

// end ends the engines that run.
func (n *Nodes) end() error {
	var all []error
	for i := range n.engines {
		e := &n.engines[i]
		e.mu.Lock()
		all = append(all, e.end())
		e.mu.Unlock()
	}
	return errors.Join(all...)
}

// stop ends the engines and removes their directories.
func (n *Nodes) stop() error {
	err := n.end()
	if n.dir != "" {
		err = errors.Join(err, os.RemoveAll(n.dir))
	}
	return err
}

// endpoint is the whole cluster, entered by whichever node answers, the first before
// the others.
func (n *Nodes) endpoint(at func(embedded.State) storage.Endpoint) storage.Endpoint {
	whole := at(n.states[0])
	for _, s := range n.states[1:] {
		whole.Addresses = append(whole.Addresses, at(s).Addresses...)
	}
	return whole
}

// Database is a database of the test's own on the cluster, as Database is one on a
// single engine.
func (n *Nodes) Database(t testing.TB) storage.Endpoint {
	t.Helper()
	e := n.endpoint(embedded.State.WriterEndpoint)
	e.Cluster = ClusterName
	return fresh(t, e)
}

// Store is an open store on a fresh migrated database of the test's own on the cluster.
func (n *Nodes) Store(t testing.TB) *storage.Store {
	t.Helper()
	s := Open(t, n.Database(t))
	if err := s.Migrate(t.Context(), storage.DefaultRetention()); err != nil {
		t.Fatal(err)
	}
	return s
}

// ReaderEndpoint is the database of s for the user that may read only.
func (n *Nodes) ReaderEndpoint(s *storage.Store) storage.Endpoint {
	e := n.endpoint(embedded.State.ReaderEndpoint)
	e.Database = s.Database()
	return e
}

// Node is the database of s on one node alone, with every right.
func (n *Nodes) Node(t testing.TB, i int, s *storage.Store) *storage.Store {
	t.Helper()
	e := n.states[i].WriterEndpoint()
	e.Database = s.Database()
	return Open(t, e)
}

// Addresses are where the nodes listen for the native protocol.
func (n *Nodes) Addresses() []string {
	return slices.Clone(n.endpoint(embedded.State.WriterEndpoint).Addresses)
}

// Stop stops a node, until Start or the end of the test.
func (n *Nodes) Stop(t testing.TB, i int) {
	t.Helper()
	e := &n.engines[i]
	e.mu.Lock()
	defer e.mu.Unlock()
	if err := e.end(); err != nil {
		t.Fatalf("stop node %d: %v", i+1, err)
	}
	t.Cleanup(func() { n.Start(t, i) })
}

// Start starts a node that was stopped.
func (n *Nodes) Start(t testing.TB, i int) {
	t.Helper()
	e := &n.engines[i]
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.engine != nil {
		return
	}
	if err := e.run(n.configs[i]); err != nil {
		t.Fatalf("start node %d: %v", i+1, err)
	}
}

// Wipe removes what a stopped node holds, as if its machine had been replaced.
func (n *Nodes) Wipe(t testing.TB, i int) {
	t.Helper()
	if err := os.RemoveAll(filepath.Join(n.configs[i].DataDir, "clickhouse")); err != nil {
		t.Fatal(err)
	}
}
