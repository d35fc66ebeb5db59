// Package geo tags both ends of a flow with country and autonomous system from
// MMDB files.
//
// A database is read into memory, not mapped: operators replace these files in
// place, and a mapped file that is cut short while it is read kills the process.
// It is verified whole and its records are decoded once, when it is opened, so
// that a broken file is an error then and look-ups cannot fail, do not allocate
// and take no lock.
package geo

import (
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"tapwatch/flow"
)

// Enricher fills the country, ASN and AS organisation columns.
type Enricher struct {
	cfg       Config
	logger    *slog.Logger
	metrics   *metrics
	reloading sync.Mutex
	current   atomic.Pointer[databases]
}

// databases are the files in force; nil where off.
type databases struct {
	country *database[string]
	asn     *database[system]
}

// New reads the databases. Its error says how to get one that works. A database
// that is not configured is off, and a warning says so.
func New(cfg Config, logger *slog.Logger, reg prometheus.Registerer) (*Enricher, error) {
	logger = logger.With("component", "geo")
	loaded, err := load(cfg)
	if err != nil {
		return nil, err
	}
	if cfg.CountryDatabase == "" {
		logger.Warn("countries are off", "setting", "enrich.geo.country_database", "remedy", remedy)
	}
	if cfg.ASNDatabase == "" {
		logger.Warn("autonomous systems are off", "setting", "enrich.geo.asn_database", "remedy", remedy)
	}
	e := &Enricher{cfg: cfg, logger: logger}
	if e.metrics, err = newMetrics(reg); err != nil {
		return nil, err
	}
	e.use(loaded)
	return e, nil
}

// Reload reads the same files again and puts them in force. If one of them is
// missing or broken, all of before stay, and the error says so. Safe for
// concurrent use.
func (e *Enricher) Reload() error {
	e.reloading.Lock()
	defer e.reloading.Unlock()
	loaded, err := load(e.cfg)
	if err != nil {
		e.metrics.reloads.WithLabelValues("failed").Inc()
		return errors.Join(errors.New("the geography databases of before stay in force"), err)
	}
	e.metrics.reloads.WithLabelValues("ok").Inc()
	e.use(loaded)
	return nil
}

// use puts the databases in force.
func (e *Enricher) use(d *databases) {
	e.current.Store(d)
	if d.country != nil {
		e.metrics.built.WithLabelValues("country").Set(d.country.buildEpoch)
		e.logger.Info("country database read", "file", e.cfg.CountryDatabase, "type", d.country.kind, "built", d.country.builtText())
	}
	if d.asn != nil {
		e.metrics.built.WithLabelValues("asn").Set(d.asn.buildEpoch)
		e.logger.Info("asn database read", "file", e.cfg.ASNDatabase, "type", d.asn.kind, "built", d.asn.builtText())
	}
}

func load(cfg Config) (*databases, error) {
	var d databases
	var errCountry, errASN error
	if cfg.CountryDatabase != "" {
		d.country, errCountry = open(cfg.CountryDatabase, "country_database", "countries", readCountry)
	}
	if cfg.ASNDatabase != "" {
		d.asn, errASN = open(cfg.ASNDatabase, "asn_database", "autonomous systems", readSystem)
	}
	return &d, errors.Join(errCountry, errASN)
}

// Name gives "geo".
func (e *Enricher) Name() string { return "geo" }

// Enrich tags every record of b. Addresses that are not public (see public), and
// those that the databases do not know, get empty tags.
func (e *Enricher) Enrich(b *flow.Batch) {
	d := e.current.Load()
	var unknown misses
	for i := range b.Len() {
		b.SrcCountry[i], b.SrcASN[i], b.SrcASOrg[i] = d.lookup(b.SrcAddr[i], &unknown)
		b.DstCountry[i], b.DstASN[i], b.DstASOrg[i] = d.lookup(b.DstAddr[i], &unknown)
	}
	e.metrics.count(unknown)
}

// misses counts the public addresses that a database did not know.
type misses struct{ country, asn int }

func (d *databases) lookup(bytes [16]byte, unknown *misses) (country string, asn uint32, org string) {
	addr := flow.Addr(bytes)
	if !public(addr) {
		return "", 0, ""
	}
	if d.country != nil {
		if country = d.country.lookup(addr); country == "" {
			unknown.country++
		}
	}
	if d.asn == nil {
		return country, 0, ""
	}
	s := d.asn.lookup(addr)
	if s.number == 0 {
		unknown.asn++
	}
	return country, s.number, s.org
}
