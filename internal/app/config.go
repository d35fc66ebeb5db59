package app

import (
	"cmp"
	"errors"
	"os"
	"path/filepath"

	"tapwatch/alert"
	"tapwatch/collector"
	"tapwatch/console"
	"tapwatch/enrich/geo"
	"tapwatch/enrich/intel"
	"tapwatch/internal/config"
	"tapwatch/inventory"
	"tapwatch/storage"
	"tapwatch/storage/embedded"
)

// Config is the whole configuration, tapwatch.yaml.
type Config struct {
	// Inventory is the inventory file; empty: nothing is protected or listed.
	Inventory string           `yaml:"inventory"`
	Collector collector.Config `yaml:"collector"`
	Enrich    EnrichConfig     `yaml:"enrich"`
	Storage   StorageConfig    `yaml:"storage"`
	Detect    DetectConfig     `yaml:"detect"`
	Alert     alert.Config     `yaml:"alert"`
	Console   console.Config   `yaml:"console"`

	// file is where it was read from; empty: nowhere.
	file string
}

// EnrichConfig is the part `enrich`.
type EnrichConfig struct {
	Geo   geo.Config   `yaml:"geo"`
	Intel intel.Config `yaml:"intel"`
}

// StorageConfig is the part `storage`.
type StorageConfig struct {
	storage.Config `yaml:",inline"`
	Embedded       embedded.Config `yaml:"embedded"`
}

// defaultFile is read where no configuration file is named, if it is there.
const defaultFile = "tapwatch.yaml"

// DefaultConfig is what an empty file means.
func DefaultConfig() Config {
	return Config{
		Collector: collector.DefaultConfig(),
		Enrich:    EnrichConfig{Geo: geo.DefaultConfig(), Intel: intel.DefaultConfig()},
		Storage:   StorageConfig{Config: storage.DefaultConfig(), Embedded: embedded.DefaultConfig()},
		Detect:    defaultDetectConfig(),
		Alert:     alert.DefaultConfig(),
		Console:   console.DefaultConfig(),
	}
}

// Validate reports every bad value with its key.
func (c *Config) Validate() error {
	return errors.Join(
		config.Under("collector", c.Collector.Validate()),
		config.Under("enrich.geo", c.Enrich.Geo.Validate()),
		config.Under("enrich.intel", c.Enrich.Intel.Validate()),
		config.Under("storage", c.Storage.Config.Validate()),
		config.Under("storage.embedded", c.Storage.Embedded.Validate()),
		config.Under("detect", c.Detect.validate()),
		config.Under("alert", c.Alert.Validate()),
		config.Under("console", c.Console.Validate()),
	)
}

// Environment variables that hold the passwords of an external ClickHouse, so that
// they need not stand in a file. They go before what the file says.
const (
	PasswordEnv       = "TAPWATCH_CLICKHOUSE_PASSWORD"
	ReaderPasswordEnv = "TAPWATCH_CLICKHOUSE_READER_PASSWORD"
)

// LoadConfig reads a configuration file, or takes the defaults where file is empty
// and there is no tapwatch.yaml in the working directory. Relative paths in a file
// are relative to the folder it lies in.
func LoadConfig(file string) (Config, error) {
	c := DefaultConfig()
	if file == "" {
		if _, err := os.Stat(defaultFile); err == nil {
			file = defaultFile
		}
	}
	if file != "" {
		if err := config.ReadFile(file, &c); err != nil {
			return c, err
		}
		c.resolve(filepath.Dir(file))
		c.file = file
	}
	clickhouse := &c.Storage.ClickHouse
	clickhouse.Password = cmp.Or(os.Getenv(PasswordEnv), clickhouse.Password)
	clickhouse.ReaderPassword = cmp.Or(os.Getenv(ReaderPasswordEnv), clickhouse.ReaderPassword)
	return c, nil
}

// writer is what the flow writer needs of it.
func (c *Config) writer() storage.Config {
	cfg := c.Storage.Config
	cfg.Name = c.Collector.CollectorName()
	return cfg
}

// resolve makes the relative paths of a configuration relative to dir.
func (c *Config) resolve(dir string) {
	all := []*string{&c.Storage.Embedded.DataDir, &c.Storage.Embedded.Library, &c.Storage.Spool.Dir, &c.Collector.StateFile}
	for _, f := range c.files() {
		all = append(all, f.path)
	}
	for _, p := range all {
		if *p != "" && !filepath.IsAbs(*p) {
			*p = filepath.Join(dir, *p)
		}
	}
}

// namedFile is a file that the configuration names.
type namedFile struct {
	key, remedy string
	path        *string
}

func (c *Config) files() []namedFile {
	const (
		geography = "`make setup` makes one, or name a GeoLite2, GeoIP2, DB-IP or IPinfo file in MMDB format"
		pem       = "name a PEM file"
	)
	all := []namedFile{
		{"inventory", "copy inventory.example.yaml and write down what you protect", &c.Inventory},
		{"enrich.geo.country_database", geography, &c.Enrich.Geo.CountryDatabase},
		{"enrich.geo.asn_database", geography, &c.Enrich.Geo.ASNDatabase},
		{"collector.security.certificate", pem, &c.Collector.Security.Certificate},
		{"collector.security.key", pem, &c.Collector.Security.Key},
		{"collector.security.client_ca", pem, &c.Collector.Security.ClientCA},
	}
	for i := range c.Enrich.Intel.Lists {
		key := config.Index("enrich.intel.lists", i) + ".file"
		all = append(all, namedFile{key, "an address or a prefix a line, then a comment", &c.Enrich.Intel.Lists[i].File})
	}
	return all
}

// missing names every file that is not there, with its place in the configuration.
func (c *Config) missing() error {
	var all []error
	for _, f := range c.files() {
		if *f.path == "" {
			continue
		}
		if _, err := os.Stat(*f.path); errors.Is(err, os.ErrNotExist) {
			all = append(all, config.At(c.file, f.key, "%s: no such file: %s", *f.path, f.remedy))
		}
	}
	return errors.Join(all...)
}

// loadInventory reads the inventory that the configuration names.
func (c *Config) loadInventory() (*inventory.Live, error) {
	if c.Inventory == "" {
		return new(inventory.Live), nil
	}
	v, err := inventory.Load(c.Inventory)
	if err != nil {
		return nil, err
	}
	return inventory.NewLive(v), nil
}
