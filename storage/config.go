package storage

import (
	"errors"
	"net"
	"runtime"
	"time"

	"tapwatch/internal/config"
	"tapwatch/storage/spool"
)

// Config says which ClickHouse to use and how.
type Config struct {
	ClickHouse ClickHouse `yaml:"clickhouse"`
	// Cluster is the name of ClickHouse's own cluster that holds the tables; empty: one
	// server does.
	Cluster string `yaml:"cluster"`
	// Replicated says that the nodes of one shard hold the same.
	Replicated bool  `yaml:"replicated"`
	Batch      Batch `yaml:"batch"`
	// Durability says what must have happened to a record before it counts as received.
	Durability Durability   `yaml:"durability"`
	Spool      spool.Config `yaml:"spool"`
	// Partition is how flows is partitioned in a new database.
	Partition Partition `yaml:"partition"`
	Retention Retention `yaml:"retention"`
	// Name is that of the collector, which tells its inserts from those of others.
	Name string `yaml:"-"`
}

// Durability says when a record counts as received.
type Durability string

const (
	// DurabilityMemory: when it is in memory. The spool is used when ClickHouse is slow
	// or away.
	DurabilityMemory Durability = "memory"
	// DurabilityJournal: when it is written to the spool. Who kills the process loses
	// nothing; what a loss of power loses, spool.fsync says.
	DurabilityJournal Durability = "journal"
)

// ClickHouse names an external server. Without addresses the embedded engine is
// used.
type ClickHouse struct {
	// Addresses are host:port of the native protocol, tried in order.
	Addresses []string `yaml:"addresses"`
	// HTTPAddress is host:port of the HTTP interface, shown to people.
	HTTPAddress string `yaml:"http_address"`
	Database    string `yaml:"database"`
	Username    string `yaml:"username"`
	Password    string `yaml:"password"`
	// ReaderUsername and ReaderPassword are a user without the right to write, for
	// `tapwatch sql`; empty takes Username.
	ReaderUsername string `yaml:"reader_username"`
	ReaderPassword string `yaml:"reader_password"`
	// Secure speaks TLS.
	Secure bool `yaml:"secure"`
}

// Batch says when the writer hands collected records to ClickHouse: at Records or
// after Interval, whichever comes first.
type Batch struct {
	Records  int           `yaml:"records"`
	Interval time.Duration `yaml:"interval"`
	// QueueRecords is how many records may wait in memory; then the oldest of them go to
	// the spool, and without one writers wait.
	QueueRecords int `yaml:"queue_records"`
	// Inserts is how many go side by side into each shard; 0: one for two processors.
	Inserts int `yaml:"inserts"`
	// Timeout bounds one attempt to insert into one server, so that a hung one does not
	// hold the writer for ever; 0: insertTimeout.
	Timeout time.Duration `yaml:"timeout"`
}

func (b *Batch) inserts() int {
	if b.Inserts > 0 {
		return b.Inserts
	}
	return max(1, runtime.GOMAXPROCS(0)/2)
}

// Retention is how many days rows are kept, counted from when they were stored; 0
// keeps them for good. Findings are always kept, and so is since when each peer, country
// and network is known.
type Retention struct {
	FlowsDays               int `yaml:"flows_days"`
	WatchedFlowsDays        int `yaml:"watched_flows_days"`
	ConversationsMinuteDays int `yaml:"conversations_minute_days"`
	ConversationsHourDays   int `yaml:"conversations_hour_days"`
	TrafficMinuteDays       int `yaml:"traffic_minute_days"`
	ExporterActivityDays    int `yaml:"exporter_activity_days"`
	ExporterHealthDays      int `yaml:"exporter_health_days"`
}

// DefaultConfig uses the embedded engine.
func DefaultConfig() Config {
	return Config{
		ClickHouse: ClickHouse{Database: DefaultDatabase, Username: "default"},
		Batch:      DefaultBatch(),
		Durability: DurabilityMemory,
		Spool:      spool.Config{Dir: "data/spool", MaxBytes: 16 << 30},
		Partition:  PartitionDay,
		Retention:  DefaultRetention(),
	}
}

// DefaultBatch makes an insert a second, of at most 100 000 records; a full queue
// takes about 200 MB.
func DefaultBatch() Batch {
	return Batch{Records: 100_000, Interval: time.Second, QueueRecords: 400_000, Timeout: insertTimeout}
}

// DefaultRetention keeps what touches protected zones for more than a year, so that
// a late discovery can still be traced.
func DefaultRetention() Retention {
	return Retention{FlowsDays: 15, WatchedFlowsDays: 400, ConversationsMinuteDays: 90, ConversationsHourDays: 365, TrafficMinuteDays: 90, ExporterActivityDays: 400, ExporterHealthDays: 90}
}

// Validate tells every value that cannot work.
func (c *Config) Validate() error {
	return errors.Join(
		config.Under("clickhouse", c.ClickHouse.validate()),
		c.validateCluster(),
		config.Under("batch", c.Batch.validate()),
		config.Under("spool", c.validateSpool()),
		c.validateDurability(),
		c.Partition.validate(),
		config.Under("retention", c.Retention.validate()),
	)
}

func (c *Config) validateCluster() error {
	switch {
	case c.Cluster != "" && len(c.ClickHouse.Addresses) == 0:
		return config.Invalid("cluster", "needs servers: clickhouse.addresses is empty")
	case c.Replicated && c.Cluster == "":
		return config.Invalid("replicated", "needs a cluster: cluster is empty")
	}
	return nil
}

// validateSpool accepts anything where there is no spool.
func (c *Config) validateSpool() error {
	if c.Spool.MaxBytes == 0 {
		return nil
	}
	return c.Spool.Validate()
}

func (c *Config) validateDurability() error {
	switch {
	case c.Durability != DurabilityMemory && c.Durability != DurabilityJournal:
		return config.Invalid("durability", "%q is neither %s nor %s", c.Durability, DurabilityMemory, DurabilityJournal)
	case c.Durability == DurabilityJournal && c.Spool.MaxBytes == 0:
		return config.Invalid("durability", "%s needs a spool: spool.max_bytes is 0", DurabilityJournal)
	}
	return nil
}

func (c *ClickHouse) validate() error {
	var all []error
	for i, address := range c.Addresses {
		if _, _, err := net.SplitHostPort(address); err != nil {
			all = append(all, config.Invalid(config.Index("addresses", i), "%q is not host:port: %v", address, err))
		}
	}
	if c.HTTPAddress != "" {
		if _, _, err := net.SplitHostPort(c.HTTPAddress); err != nil {
			all = append(all, config.Invalid("http_address", "%q is not host:port: %v", c.HTTPAddress, err))
		}
	}
	if c.Database == "" {
		all = append(all, config.Invalid("database", "is empty"))
	}
	if c.Username == "" {
		all = append(all, config.Invalid("username", "is empty"))
	}
	return errors.Join(all...)
}

func (b *Batch) validate() error {
	var all []error
	if b.Records > maxInsertRecords {
		all = append(all, config.Invalid("records", "%d is above %d, the most that one insert takes", b.Records, maxInsertRecords))
	}
	if b.Records < 1 {
		all = append(all, config.Invalid("records", "%d is below 1", b.Records))
	}
	if b.Interval <= 0 {
		all = append(all, config.Invalid("interval", "%s is not above 0", b.Interval))
	}
	if b.Inserts < 0 {
		all = append(all, config.Invalid("inserts", "%d is below 0", b.Inserts))
	}
	if b.Timeout < 0 {
		all = append(all, config.Invalid("timeout", "%s is below 0", b.Timeout))
	}
	if b.QueueRecords < b.Records {
		all = append(all, config.Invalid("queue_records", "%d is below records, %d", b.QueueRecords, b.Records))
	}
	return errors.Join(all...)
}

// maxRetentionDays is well below where ClickHouse's dates end, in 2149: a later one would
// be one in the past, and rows would go at once.
const maxRetentionDays = 36_500

func (r *Retention) validate() error {
	var all []error
	for _, days := range []struct {
		key   string
		value int
	}{
		{"flows_days", r.FlowsDays},
		{"watched_flows_days", r.WatchedFlowsDays},
		{"conversations_minute_days", r.ConversationsMinuteDays},
		{"conversations_hour_days", r.ConversationsHourDays},
		{"traffic_minute_days", r.TrafficMinuteDays},
		{"exporter_activity_days", r.ExporterActivityDays},
		{"exporter_health_days", r.ExporterHealthDays},
	} {
		switch {
		case days.value < 0:
			all = append(all, config.Invalid(days.key, "%d is below 0", days.value))
		case days.value > maxRetentionDays:
			all = append(all, config.Invalid(days.key, "%d is above %d, a hundred years; 0 keeps rows for good", days.value, maxRetentionDays))
		}
	}
	return errors.Join(all...)
}

// WriterEndpoint is the server, or the cluster, for the user that creates and fills the
// tables.
func (c *Config) WriterEndpoint() Endpoint {
	e := c.ClickHouse.WriterEndpoint()
	e.Cluster, e.Replicated, e.Partition = c.Cluster, c.Replicated, c.Partition
	return e
}

// WriterEndpoint is the server for the user that creates and fills the tables.
func (c ClickHouse) WriterEndpoint() Endpoint {
	return Endpoint{
		Addresses: c.Addresses, HTTPAddress: c.HTTPAddress, Database: c.Database,
		Username: c.Username, Password: c.Password, Secure: c.Secure,
	}
}

// ReaderEndpoint is the server for the user of `tapwatch sql`.
func (c ClickHouse) ReaderEndpoint() Endpoint {
	e := c.WriterEndpoint()
	if c.ReaderUsername != "" {
		e.Username, e.Password = c.ReaderUsername, c.ReaderPassword
	}
	return e
}
