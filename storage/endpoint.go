package storage

// DefaultDatabase is the database that holds the tables.
const DefaultDatabase = "tapwatch"

// Endpoint is how one user reaches ClickHouse.
type Endpoint struct {
	// Addresses are host:port of the native protocol; the first that answers is
	// used.
	Addresses []string
	// HTTPAddress is host:port of ClickHouse's HTTP interface, for Grafana and
	// people; tapwatch itself does not use it. Empty unknown.
	HTTPAddress string
	// Database holds the tables; Migrate creates it.
	Database           string
	Username, Password string
	// Secure speaks TLS.
	Secure bool
	// Cluster is a cluster to which the addresses belong, for whom creates and fills the
	// tables; empty: one server. Who only reads need not know.
	Cluster string
	// Replicated says that the nodes of a shard hold the same.
	Replicated bool
	// Partition is how flows is partitioned in a new database; empty: by day.
	Partition Partition
}
