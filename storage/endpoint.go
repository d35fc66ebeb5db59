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
}
