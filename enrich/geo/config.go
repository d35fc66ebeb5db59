package geo

// Config names the geography databases: MMDB files of the kinds GeoLite2, GeoIP2,
// DB-IP, IPinfo or ip-location-db.
type Config struct {
	// CountryDatabase is a file that knows countries (a city database will do);
	// empty: no countries.
	CountryDatabase string `yaml:"country_database"`
	// ASNDatabase is a file that knows autonomous systems; empty: none. One file
	// that knows both may be named twice.
	ASNDatabase string `yaml:"asn_database"`
}

// DefaultConfig has geography off: where the databases are is for the operator to
// say.
func DefaultConfig() Config { return Config{} }

// Validate finds nothing to refuse: New reads the files.
func (c *Config) Validate() error { return nil }
