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
	// CountAlerts is how many alerts the query selects, whatever its limit.
	CountAlerts(ctx context.Context, q alert.Query) (uint64, error)
}

// Incidents reads stored incidents. Safe for concurrent use; storage.Store is one.
type Incidents interface {
	Incidents(ctx context.Context, q alert.IncidentQuery) ([]alert.Incident, error)
	// CountIncidents is how many incidents the query selects, whatever its limit.
	CountIncidents(ctx context.Context, q alert.IncidentQuery) (uint64, error)
}

// Quiet keeps what people decided about alerts. Safe for concurrent use.
type Quiet interface {
	// InForce gives the silences and approvals in force now; it does not wait for
	// storage.
	InForce() ([]alert.Silence, []alert.Approval)
	// Budget holds the new alerts of a day against what people can take; false: not
	// known yet. It does not wait for storage.
	Budget() (alert.Budget, bool)
	// Silences and Approvals give those of which something was in force at or after
	// since, also those that somebody ended, the latest made first.
	Silences(ctx context.Context, since time.Time) ([]alert.Silence, error)
	Approvals(ctx context.Context, since time.Time) ([]alert.Approval, error)
	// SaveSilence and SaveApproval store one, or that it was ended, and put that in
	// force.
	SaveSilence(ctx context.Context, s alert.Silence) error
	SaveApproval(ctx context.Context, a alert.Approval) error
	// ApprovalsYAML writes the approvals in force as rules of the inventory file.
	ApprovalsYAML() string
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

// Deps is what the console shows. All but Hunts, Checks, Collector, Streams, IncidentGap and Now are
// needed, and Hunter where there are Hunts.
type Deps struct {
	Alerts    Alerts
	Incidents Incidents
	Quiet     Quiet
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
	// IncidentGap is after how long without news an incident is quiet; see
	// alert.Config.
	IncidentGap time.Duration
	// Now is the clock; nil is time.Now.
	Now func() time.Time
}

func (d *Deps) validate() error {
	var all []error
	for name, missing := range map[string]bool{
		"Alerts": d.Alerts == nil, "Incidents": d.Incidents == nil, "Quiet": d.Quiet == nil, "Feed": d.Feed == nil, "Exporters": d.Exporters == nil, "Gatherer": d.Gatherer == nil,
		"Hunter": d.Hunter == nil && len(d.Hunts) > 0,
	} {
		if missing {
			all = append(all, errors.New("console: Deps."+name+" is missing"))
		}
	}
	return errors.Join(all...)
}
