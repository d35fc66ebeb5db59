package storage

import (
	"errors"
	"net"
	"time"

	"tapwatch/internal/config"
)

// Config says which ClickHouse to use and how.
type Config struct {
	ClickHouse ClickHouse `yaml:"clickhouse"`
	Batch      Batch      `yaml:"batch"`
	Retention  Retention  `yaml:"retention"`
}

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
	// QueueRecords is how many records may wait in memory; then writers wait.
	QueueRecords int `yaml:"queue_records"`
}

// Retention is how many days rows are kept, counted from when they were stored; 0
// keeps them for good. Findings are always kept.
type Retention struct {
	FlowsDays            int `yaml:"flows_days"`
	WatchedFlowsDays     int `yaml:"watched_flows_days"`
	ExporterActivityDays int `yaml:"exporter_activity_days"`
	ExporterHealthDays   int `yaml:"exporter_health_days"`
}

// DefaultConfig uses the embedded engine.
func DefaultConfig() Config {
	return Config{
		ClickHouse: ClickHouse{Database: DefaultDatabase, Username: "default"},
		Batch:      DefaultBatch(),
		Retention:  DefaultRetention(),
	}
}

// DefaultBatch makes an insert a second, of at most 50 000 records; a full queue
// takes about 100 MB.
func DefaultBatch() Batch {
	return Batch{Records: 50_000, Interval: time.Second, QueueRecords: 250_000}
}

// DefaultRetention keeps what touches protected zones for more than a year, so that
// a late discovery can still be traced.
func DefaultRetention() Retention {
	return Retention{FlowsDays: 15, WatchedFlowsDays: 400, ExporterActivityDays: 400, ExporterHealthDays: 90}
}

// Validate tells every value that cannot work.
func (c *Config) Validate() error {
	return errors.Join(
		config.Under("clickhouse", c.ClickHouse.validate()),
		config.Under("batch", c.Batch.validate()),
		config.Under("retention", c.Retention.validate()),
	)
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
	if b.Records < 1 {
		all = append(all, config.Invalid("records", "%d is below 1", b.Records))
	}
	if b.Interval <= 0 {
		all = append(all, config.Invalid("interval", "%s is not above 0", b.Interval))
	}
	if b.QueueRecords < b.Records {
		all = append(all, config.Invalid("queue_records", "%d is below records, %d", b.QueueRecords, b.Records))
	}
	return errors.Join(all...)
}

func (r *Retention) validate() error {
	var all []error
	for _, days := range []struct {
		key   string
		value int
	}{
		{"flows_days", r.FlowsDays},
		{"watched_flows_days", r.WatchedFlowsDays},
		{"exporter_activity_days", r.ExporterActivityDays},
		{"exporter_health_days", r.ExporterHealthDays},
	} {
		if days.value < 0 {
			all = append(all, config.Invalid(days.key, "%d is below 0", days.value))
		}
	}
	return errors.Join(all...)
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
