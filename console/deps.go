package console

import (
	"context"
	"errors"
	"net/netip"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"tapwatch/alert"
	"tapwatch/hunts"
)

// Alerts reads stored alerts. Safe for concurrent use; storage.Store is one.
type Alerts interface {
	Alerts(ctx context.Context, q alert.Query) ([]alert.Alert, error)
	// Alert gives the alert of that identity; false if there is none.
	Alert(ctx context.Context, id string) (alert.Alert, bool, error)
}

// Feed tells of alerts as they change; alert.Feed is one. What it tells must be
// stored already, and in the order of versions.
type Feed interface {
	Subscribe() (changes <-chan alert.Alert, unsubscribe func())
}

// Exporters tells what is known of each exporter. Safe for concurrent use.
type Exporters interface {
	// Exporters gives the facts in any order. The server itself judges those whose
	// Status is empty; see ExporterStatus.Judge.
	Exporters(ctx context.Context) ([]ExporterStatus, error)
}

// Hunter asks the stored flows as the read-only user. Safe for concurrent use.
type Hunter interface {
	// Hunt runs a hunt's query with the values of its parameters as text, and gives at
	// most maxRows rows. The query ends with ctx. A *HuntError says what is wrong with the
	// query itself; any other error is that of the store.
	Hunt(ctx context.Context, query string, values map[string]string, maxRows int) (HuntRows, error)
}

// Check is one thing that must be well before tapwatch does its job.
type Check struct {
	// Name is one word: clickhouse, collector, geography.
	Name string
	// Ready gives nil, or says what is wrong. Safe for concurrent use; it should
	// return when ctx ends.
	Ready func(ctx context.Context) error
}

// Deps is what the console shows. All but Hunts, Checks, Collector, Streams and Now are
// needed, and Hunter where there are Hunts.
type Deps struct {
	Alerts    Alerts
	Feed      Feed
	Exporters Exporters
	// Hunts are those to list, by name, and Hunter runs them.
	Hunts  []hunts.Hunt
	Hunter Hunter
	// Gatherer is what /metrics shows.
	Gatherer prometheus.Gatherer
	// Checks decide what /readyz answers; none means ready.
	Checks []Check
	// Collector gives the addresses that routers must export to, which the page
	// names while nothing arrives.
	Collector func() []netip.AddrPort
	// Streams gives those for IPFIX over "tcp", "tls" or "dtls".
	Streams func(transport string) []netip.AddrPort
	// Now is the clock; nil is time.Now.
	Now func() time.Time
}

func (d *Deps) validate() error {
	var all []error
	for name, missing := range map[string]bool{
		"Alerts": d.Alerts == nil, "Feed": d.Feed == nil, "Exporters": d.Exporters == nil, "Gatherer": d.Gatherer == nil,
		"Hunter": d.Hunter == nil && len(d.Hunts) > 0,
	} {
		if missing {
			all = append(all, errors.New("console: Deps."+name+" is missing"))
		}
	}
	return errors.Join(all...)
}
