package embedded

import (
	"errors"

	"tapwatch/internal/config"
	"tapwatch/storage"
)

// Config says where the embedded engine lives and how much it may take.
type Config struct {
	// DataDir holds everything the engine writes. It is created with mode 0700.
	DataDir string `yaml:"data_dir"`
	// Library is the path of libchdb.so; empty looks for it, see FindLibrary.
	Library string `yaml:"library"`
	// TCPPort and HTTPPort are the ports on 127.0.0.1 of the native protocol and
	// of HTTP; 0 takes those of the last run, or free ones.
	TCPPort  uint16 `yaml:"tcp_port"`
	HTTPPort uint16 `yaml:"http_port"`
	// MaxMemoryBytes bounds what the engine takes in all; 0 is half of the
	// machine's (or control group's) memory.
	MaxMemoryBytes uint64 `yaml:"max_memory_bytes"`
	// SystemLogDays is how long the engine keeps its own logs of queries and parts.
	SystemLogDays int `yaml:"system_log_days"`
	// Cluster is the cluster of ClickHouse that the engine is told of; without shards
	// there is none. The engine listens on loopback alone, so its nodes are engines of
	// this machine.
	Cluster Cluster `yaml:"-"`
}

// Cluster is a cluster of ClickHouse as its nodes know it (remote_servers).
type Cluster struct {
	// Name is what Distributed tables call it.
	Name string
	// Shards are its nodes, one replica each, in the order that numbers them. Nodes
	// reach each other with these credentials.
	Shards []storage.Endpoint
}

// minMemoryBytes is the least with which the engine starts and merges.
const minMemoryBytes = 512 << 20

// DefaultConfig is an engine in ./data.
func DefaultConfig() Config {
	return Config{DataDir: "data/clickhouse", SystemLogDays: 3}
}

// Validate tells every value that cannot work.
func (c *Config) Validate() error {
	var all []error
	if c.DataDir == "" {
		all = append(all, config.Invalid("data_dir", "is empty"))
	}
	if c.TCPPort != 0 && c.TCPPort == c.HTTPPort {
		all = append(all, config.Invalid("http_port", "is the same as tcp_port, %d", c.TCPPort))
	}
	if c.MaxMemoryBytes != 0 && c.MaxMemoryBytes < minMemoryBytes {
		all = append(all, config.Invalid("max_memory_bytes", "%d is below %d (512 MiB)", c.MaxMemoryBytes, minMemoryBytes))
	}
	if c.SystemLogDays < 1 {
		all = append(all, config.Invalid("system_log_days", "%d is below 1", c.SystemLogDays))
	}
	return errors.Join(all...)
}
