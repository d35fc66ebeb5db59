// Package geo tags both ends of a flow with country and autonomous system from
// MMDB files.
//
// A database is read into memory, not mapped: operators replace these files in
// place, and a mapped file that is cut short while it is read kills the process.
// It is verified whole, so that a broken file is an error when it is opened and
// look-ups cannot fail.
//
// Then both databases are walked in the order of addresses and laid on one another,
// and on the blocks that are not public: an atlas has, for every address, one number
// that stands for country and autonomous system (see tag.go). The files are dropped.
// A look-up is that in a partition, and two in small tables; it does not allocate
// and takes no lock.
package geo

import (
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"tapwatch/flow"
)

// Enricher fills the country, ASN and AS organisation columns.
type Enricher struct {
	cfg       Config
	logger    *slog.Logger
	metrics   *metrics
	reloading sync.Mutex
	current   atomic.Pointer[atlas]
}

// New reads the databases. Its error says how to get one that works. A database
// that is not configured is off, and a warning says so.
func New(cfg Config, logger *slog.Logger, reg prometheus.Registerer) (*Enricher, error) {
	logger = logger.With("component", "geo")
	loaded, err := newAtlas(cfg)
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
	loaded, err := newAtlas(e.cfg)
	if err != nil {
		e.metrics.reloads.WithLabelValues("failed").Inc()
		return errors.Join(errors.New("the geography databases of before stay in force"), err)
	}
	e.metrics.reloads.WithLabelValues("ok").Inc()
	e.use(loaded)
	return nil
}

// use puts an atlas in force.
func (e *Enricher) use(a *atlas) {
	e.current.Store(a)
	if e.cfg.CountryDatabase != "" {
		e.metrics.built.WithLabelValues("country").Set(float64(a.country.built.Unix()))
		e.logger.Info("country database read", "file", e.cfg.CountryDatabase, "type", a.country.kind, "built", a.country.built.Format(time.DateOnly))
	}
	if e.cfg.ASNDatabase != "" {
		e.metrics.built.WithLabelValues("asn").Set(float64(a.asn.built.Unix()))
		e.logger.Info("asn database read", "file", e.cfg.ASNDatabase, "type", a.asn.kind, "built", a.asn.built.Format(time.DateOnly))
	}
}

// Name gives "geo".
func (e *Enricher) Name() string { return "geo" }

// chunk is how many records are looked up before their columns are filled: few
// enough for their tags to stay in the processor's first cache.
const chunk = 256

// Enrich tags every record of b. Addresses that are not public (see unplaced), and
// those that the databases do not know, get empty tags.
func (e *Enricher) Enrich(b *flow.Batch) {
	a := e.current.Load()
	var tags [chunk]uint32
	var unknown misses
	for from := 0; from < b.Len(); from += chunk {
		to := min(from+chunk, b.Len())
		a.tags.Lookup(b.SrcAddr[from:to], tags[:])
		a.fill(tags[:to-from], b.SrcCountry[from:to], b.SrcASN[from:to], b.SrcASOrg[from:to], &unknown)
		a.tags.Lookup(b.DstAddr[from:to], tags[:])
		a.fill(tags[:to-from], b.DstCountry[from:to], b.DstASN[from:to], b.DstASOrg[from:to], &unknown)
	}
	e.metrics.count(unknown)
}

// misses counts the public addresses that a database did not know.
type misses struct{ country, asn int }

// fill sets the columns of one end to what the tags say.
func (a *atlas) fill(tags []uint32, country []string, asn []uint32, org []string, unknown *misses) {
	country, asn, org = country[:len(tags)], asn[:len(tags)], org[:len(tags)]
	noCountry, noSystem := 0, 0
	for i, tag := range tags {
		c := tag >> systemBits
		s := &a.systems[tag&systemMask]
		country[i] = countries[c]
		asn[i] = s.number
		org[i] = s.org
		if c == unknownCountry>>systemBits {
			noCountry++
		}
		if tag&systemMask == unknownSystem {
			noSystem++
		}
	}
	unknown.country += noCountry
	unknown.asn += noSystem
}
