package collector

import (
	"errors"
	"net"
	"os"
	"runtime"
	"strconv"
	"time"

	"tapwatch/internal/config"
)

// The values of Config.Exporters.
const (
	ExportersAny    = "any"
	ExportersListed = "listed"
)

// Config is the collector's part of the configuration.
type Config struct {
	// Name is stored with what this collector counts. Empty: the host's name.
	Name string `yaml:"name"`
	// Listen are the UDP addresses to receive on, host:port. Every protocol is
	// understood on every one of them.
	Listen []string `yaml:"listen"`
	// TCP are addresses to receive IPFIX on over TCP (RFC 7011 §10.4).
	TCP []string `yaml:"tcp"`
	// TLS and DTLS are addresses to receive IPFIX on, encrypted (RFC 7011 §11);
	// Security says how.
	TLS      []string       `yaml:"tls"`
	DTLS     []string       `yaml:"dtls"`
	Security SecurityConfig `yaml:"security"`
	// Sockets is how many sockets share each UDP address (SO_REUSEPORT, Linux). 0: one
	// a processor.
	Sockets int `yaml:"sockets"`
	// Workers decode side by side; an exporter always has the same one. 0: one a
	// processor.
	Workers int `yaml:"workers"`
	// ReceiveBufferBytes is asked of the kernel for each socket; it may grant less.
	ReceiveBufferBytes int `yaml:"receive_buffer_bytes"`
	// QueueBytes is how much each worker may have waiting; a datagram counts for its
	// payload and 128 bytes.
	QueueBytes int `yaml:"queue_bytes"`
	// BatchRecords and FlushInterval: a worker hands its records on when there are
	// so many, or when the first has waited so long.
	BatchRecords  int           `yaml:"batch_records"`
	FlushInterval time.Duration `yaml:"flush_interval"`
	// HealthInterval is how often the counts of each exporter are stored.
	HealthInterval time.Duration `yaml:"health_interval"`
	// Exporters says whose datagrams are taken: "any", or only those that the
	// inventory has "listed".
	Exporters string `yaml:"exporters"`
	// StateFile keeps templates and sampling over a restart. Empty: they are not kept.
	StateFile string       `yaml:"state_file"`
	Limits    LimitsConfig `yaml:"limits"`
}

// SecurityConfig is for TLS and DTLS. Exporters must show a certificate that ClientCA
// signed: both sides authenticate each other (RFC 7011 §11.3).
type SecurityConfig struct {
	// Certificate and Key are PEM files of this collector.
	Certificate string `yaml:"certificate"`
	Key         string `yaml:"key"`
	// ClientCA is a PEM file of the authorities whose certificates exporters show.
	ClientCA string `yaml:"client_ca"`
}

// LimitsConfig bounds what the network can make the collector remember.
type LimitsConfig struct {
	// MaxExporters that the inventory does not list; listed ones always fit.
	MaxExporters            int `yaml:"max_exporters"`
	MaxTemplatesPerExporter int `yaml:"max_templates_per_exporter"`
	MaxTemplateFields       int `yaml:"max_template_fields"`
	// MaxTemplateFieldsTotal is how many fields the templates of all exporters may
	// have that the inventory does not list; a template counts for 10 more than it
	// has. A field takes up to 40 bytes of memory.
	MaxTemplateFieldsTotal int `yaml:"max_template_fields_total"`
	// TemplateLifetime is after how long without use a template is forgotten, also one
	// that was kept over a restart.
	TemplateLifetime time.Duration `yaml:"template_lifetime"`
	// TemplateWait is how long a data set may wait for its template. Those of one
	// exporter may take MaxWaitingBytesPerExporter, those of all that the inventory does
	// not list MaxWaitingBytesTotal.
	TemplateWait               time.Duration `yaml:"template_wait"`
	MaxWaitingBytesPerExporter int           `yaml:"max_waiting_bytes_per_exporter"`
	MaxWaitingBytesTotal       int           `yaml:"max_waiting_bytes_total"`
	// MaxConnections is how many TCP, TLS and DTLS connections may be open of exporters
	// that the inventory lists, and as many of all others together; MaxMessageBytes how long one IPFIX message on them may be.
	MaxConnections  int `yaml:"max_connections"`
	MaxMessageBytes int `yaml:"max_message_bytes"`
}

// DefaultConfig gives the defaults.
func DefaultConfig() Config {
	return Config{
		Listen:             []string{":2055", ":4739", ":6343"},
		ReceiveBufferBytes: 16 << 20,
		QueueBytes:         32 << 20,
		BatchRecords:       500,
		FlushInterval:      time.Second,
		HealthInterval:     time.Minute,
		Exporters:          ExportersAny,
		StateFile:          "data/collector/state.json",
		Limits: LimitsConfig{
			MaxExporters:            4096,
			MaxTemplatesPerExporter: 1024,
			MaxTemplateFields:       512,
			MaxTemplateFieldsTotal:  4_000_000,

			TemplateLifetime:           24 * time.Hour,
			TemplateWait:               30 * time.Minute,
			MaxWaitingBytesPerExporter: 1 << 20,
			MaxWaitingBytesTotal:       64 << 20,

			MaxConnections:  1024,
			MaxMessageBytes: 1<<16 - 1,
		},
	}
}

// Validate reports every bad value as a config.KeyError.
func (c *Config) Validate() error {
	var all []error
	if len(c.Listen)+len(c.TCP)+len(c.TLS)+len(c.DTLS) == 0 {
		all = append(all, config.Invalid("listen", "is empty, and so are tcp, tls and dtls: give at least one host:port"))
	}
	for key, addresses := range map[string][]string{"listen": c.Listen, "tcp": c.TCP, "tls": c.TLS, "dtls": c.DTLS} {
		for i, a := range addresses {
			if err := validListen(a); err != nil {
				all = append(all, config.Invalid(config.Index(key, i), "%v", err))
			}
		}
	}
	if len(c.TLS)+len(c.DTLS) > 0 {
		all = append(all, c.Security.validate())
	}
	if c.Exporters != ExportersAny && c.Exporters != ExportersListed {
		all = append(all, config.Invalid("exporters", "%q is neither %q nor %q", c.Exporters, ExportersAny, ExportersListed))
	}
	all = append(all,
		within("workers", c.Workers, 0, 256),
		within("sockets", c.Sockets, 0, 256),
		within("receive_buffer_bytes", c.ReceiveBufferBytes, 1<<16, 1<<30),
		within("queue_bytes", c.QueueBytes, 1<<16, 1<<32),
		within("batch_records", c.BatchRecords, 1, 1_000_000),
		lasting("flush_interval", c.FlushInterval, time.Millisecond, time.Minute),
		lasting("health_interval", c.HealthInterval, time.Second, time.Hour),
		within("limits.max_exporters", c.Limits.MaxExporters, 1, 1_000_000),
		within("limits.max_templates_per_exporter", c.Limits.MaxTemplatesPerExporter, 1, 65_536),
		within("limits.max_template_fields", c.Limits.MaxTemplateFields, 1, 16_384),
		within("limits.max_template_fields_total", c.Limits.MaxTemplateFieldsTotal, c.Limits.MaxTemplateFields, 1_000_000_000),
		lasting("limits.template_lifetime", c.Limits.TemplateLifetime, time.Minute, 365*24*time.Hour),
		lasting("limits.template_wait", c.Limits.TemplateWait, 0, 24*time.Hour),
		within("limits.max_waiting_bytes_per_exporter", c.Limits.MaxWaitingBytesPerExporter, 0, 1<<30),
		within("limits.max_waiting_bytes_total", c.Limits.MaxWaitingBytesTotal, 0, 1<<36),
		within("limits.max_connections", c.Limits.MaxConnections, 1, 1_000_000),
		within("limits.max_message_bytes", c.Limits.MaxMessageBytes, 512, 1<<16-1),
	)
	return errors.Join(all...)
}

// validate says what of the files is missing. That they can be read is seen when the
// collector listens.
func (c *SecurityConfig) validate() error {
	var all []error
	for _, f := range []struct{ key, file, what string }{
		{"certificate", c.Certificate, "the PEM file of this collector's certificate"},
		{"key", c.Key, "the PEM file of its private key"},
		{"client_ca", c.ClientCA, "the PEM file of the authority that signs the exporters' certificates"},
	} {
		if f.file == "" {
			all = append(all, config.Invalid("security."+f.key, "is empty, and tls or dtls is not: name %s", f.what))
		}
	}
	return errors.Join(all...)
}

func validListen(address string) error {
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return errors.New(strconv.Quote(address) + " is not host:port, as in 0.0.0.0:2055 or :2055")
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return errors.New(strconv.Quote(port) + " is not a port from 0 to 65535")
	}
	return nil
}

func within(key string, v, low, high int) error {
	if v < low || v > high {
		return config.Invalid(key, "%d is not from %d to %d", v, low, high)
	}
	return nil
}

func lasting(key string, v, low, high time.Duration) error {
	if v < low || v > high {
		return config.Invalid(key, "%s is not from %s to %s", v, low, high)
	}
	return nil
}

// CollectorName is Name, or what stands for it.
func (c *Config) CollectorName() string {
	if c.Name != "" {
		return c.Name
	}
	host, err := os.Hostname()
	if err != nil {
		return "tapwatch"
	}
	return host
}

func (c *Config) workers() int {
	if c.Workers > 0 {
		return c.Workers
	}
	return runtime.NumCPU()
}

// share is the part of one of n workers, which divide what all exporters may have
// together.
func (c Config) share(n int) Config {
	c.Limits.MaxExporters = (c.Limits.MaxExporters + n - 1) / n
	c.Limits.MaxTemplateFieldsTotal = (c.Limits.MaxTemplateFieldsTotal + n - 1) / n
	c.Limits.MaxWaitingBytesTotal = (c.Limits.MaxWaitingBytesTotal + n - 1) / n
	return c
}

func (c *Config) limits() Limits {
	return Limits{
		TemplatesPerExporter:    c.Limits.MaxTemplatesPerExporter,
		TemplateFields:          c.Limits.MaxTemplateFields,
		WaitingBytesPerExporter: c.Limits.MaxWaitingBytesPerExporter,
		TemplateWait:            c.Limits.TemplateWait,
		TemplateLifetime:        c.Limits.TemplateLifetime,
	}
}
