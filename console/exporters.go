package console

import (
	"cmp"
	"net/http"
	"net/netip"
	"slices"
	"time"
)

// The words of ExporterStatus.Status.
const (
	StatusOK      = "ok"
	StatusProblem = "problem" // it sends, and something of it is lost or wrong
	StatusSilent  = "silent"  // it has sent nothing for too long, or never
	StatusGone    = "gone"    // nobody lists it, and it has sent nothing for a day, or for too long if that never made sense
)

// ExporterStatus is what is known of one exporter.
type ExporterStatus struct {
	Address netip.Addr `json:"address"`
	// Name and Site are from the inventory; empty if it does not list the exporter.
	Name string `json:"name"`
	Site string `json:"site"`
	// Listed tells whether the inventory lists it.
	Listed bool `json:"listed"`
	// Platform is what the inventory says that it runs; empty: not known.
	Platform string `json:"platform"`
	// Protocols are the names of those seen: netflow5, netflow9, ipfix, sflow5.
	Protocols []string `json:"protocols"`
	// IntervalEnd and IntervalSeconds say what the rates are about: the last interval
	// that the collector reported. Zero: none yet.
	IntervalEnd        time.Time `json:"interval_end,omitzero"`
	IntervalSeconds    float64   `json:"interval_seconds"`
	DatagramsPerSecond float64   `json:"datagrams_per_second"`
	RecordsPerSecond   float64   `json:"records_per_second"`
	BytesPerSecond     float64   `json:"bytes_per_second"`
	// Datagrams, Records and OptionsRecords are what came in the last hour.
	Datagrams      uint64 `json:"datagrams"`
	Records        uint64 `json:"records"`
	OptionsRecords uint64 `json:"options_records"`
	// UnsampledRecords counts records of the last hour without a known sampling
	// interval, Dropped what was dropped in the last hour, by reason.
	UnsampledRecords uint64            `json:"unsampled_records"`
	Dropped          map[string]uint64 `json:"dropped"`
	// LostRecords and LostDatagrams did not arrive in the last hour, by the gaps in its
	// sequence numbers, and LostPercent is how much of what it sent that is.
	LostRecords   uint64  `json:"lost_records"`
	LostDatagrams uint64  `json:"lost_datagrams"`
	LostPercent   float64 `json:"lost_percent"`
	// LateDatagrams were overtaken in the last hour, and Restarts is how often its
	// sequence numbers began anew.
	LateDatagrams uint64 `json:"late_datagrams"`
	Restarts      uint64 `json:"restarts"`
	// WaitingSets is how many data sets wait for their template.
	WaitingSets uint32 `json:"waiting_sets"`
	// Latest is what the last interval counted: what it has no more of has stopped. nil:
	// not known.
	Latest *IntervalCounts `json:"-"`
	// DroppedByCollector is what the collector could not take in the last hour, of
	// any exporter: it explains losses.
	DroppedByCollector uint64 `json:"-"`
	// LastReceivedAt is when the latest datagram came; zero: never.
	LastReceivedAt time.Time `json:"last_received_at,omitzero"`
	Templates      uint32    `json:"templates"`
	// SamplingIntervals are those the exporter has told, one of how many packets.
	SamplingIntervals []uint32 `json:"sampling_intervals"`
	// ExpectedSampling is the interval that the inventory gives; 0: none.
	ExpectedSampling uint32 `json:"expected_sampling"`

	// Status is one of the Status words. Empty lets the server judge.
	Status string `json:"status"`
	// Faults are what is wrong, with what to type; Problems are their words alone, and
	// Notes what is worth knowing and not wrong.
	Faults   []Fault  `json:"faults"`
	Problems []string `json:"problems"`
	Notes    []string `json:"notes"`
}

// IntervalCounts are the counts of one interval; see ExporterStatus.
type IntervalCounts struct {
	Datagrams, Records, UnsampledRecords, LostRecords, LostDatagrams uint64
	Dropped                                                          map[string]uint64
}

// exporterList is the answer of /api/v1/exporters.
type exporterList struct {
	Exporters []ExporterStatus `json:"exporters"`
	// Collector lists the addresses that routers must export to, over UDP where none of
	// /tcp, /tls and /dtls follows.
	Collector []string `json:"collector"`
	// Now is the server's clock.
	Now time.Time `json:"now"`
}

func (s *Server) listExporters(w http.ResponseWriter, r *http.Request) {
	if _, bad := parseQuery(r, nil, s.deps.Now()); bad != nil {
		bad.write(w)
		return
	}
	found, err := s.deps.Exporters.Exporters(r.Context())
	if err != nil {
		s.unavailable(w, r, "exporters", err)
		return
	}
	now := s.deps.Now().UTC()
	answer := exporterList{Exporters: make([]ExporterStatus, 0, len(found)), Collector: s.collectorAddrs(), Now: now}
	for _, e := range found {
		if e.Status == "" {
			e.Judge(now, s.cfg.SilentAfter)
		}
		answer.Exporters = append(answer.Exporters, e.WithLists())
	}
	slices.SortStableFunc(answer.Exporters, func(a, b ExporterStatus) int {
		return cmp.Or(cmp.Compare(urgency(a.Status), urgency(b.Status)), cmp.Compare(a.Name, b.Name), a.Address.Compare(b.Address))
	})
	writeJSON(w, answer)
}

// urgency orders what needs a person first.
func urgency(status string) int {
	return slices.Index([]string{StatusSilent, StatusProblem, StatusOK, StatusGone}, status)
}

func (s *Server) collectorAddrs() []string {
	all := []string{}
	if s.deps.Collector == nil {
		return all
	}
	for _, a := range s.deps.Collector() {
		all = append(all, a.String())
	}
	if s.deps.Streams == nil {
		return all
	}
	for _, transport := range []string{"tcp", "tls", "dtls"} {
		for _, a := range s.deps.Streams(transport) {
			all = append(all, a.String()+"/"+transport)
		}
	}
	return all
}

// WithLists makes every missing list an empty one, for JSON.
func (e ExporterStatus) WithLists() ExporterStatus {
	for _, list := range []*[]string{&e.Protocols, &e.Problems, &e.Notes} {
		if *list == nil {
			*list = []string{}
		}
	}
	if e.Faults == nil {
		e.Faults = []Fault{}
	}
	for i := range e.Faults {
		if e.Faults[i].Remedies == nil {
			e.Faults[i].Remedies = []Remedy{}
		}
	}
	if e.SamplingIntervals == nil {
		e.SamplingIntervals = []uint32{}
	}
	if e.Dropped == nil {
		e.Dropped = map[string]uint64{}
	}
	return e
}
