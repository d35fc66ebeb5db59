package flow

import (
	"net/netip"
	"time"
)

// Health is what the collector counted about one exporter in one interval. All
// counts are of the interval, not since the start.
type Health struct {
	// At is the end of the interval.
	At        time.Time
	Collector string
	// Exporter is :: for all that have no row of their own: those beyond the
	// collector's table, and most of those that sent nothing that made sense.
	Exporter netip.Addr
	// ExportProtocols are the names of the protocols seen: netflow5, netflow9,
	// ipfix, sflow5.
	ExportProtocols []string
	Datagrams       uint64
	Bytes           uint64
	Records         uint64
	OptionsRecords  uint64
	// LostRecords and LostDatagrams did not arrive, by the gaps in the exporter's
	// sequence numbers: NetFlow v5, v7 and IPFIX number records, NetFlow v9 and sFlow
	// datagrams.
	LostRecords, LostDatagrams uint64
	// LateDatagrams arrived after ones that were sent later. They count as lost until
	// they come.
	LateDatagrams uint64
	// Restarts is how often the exporter began to number anew.
	Restarts uint64
	// Dropped counts what was dropped, by reason.
	Dropped map[string]uint64
	// WaitingSets is how many data sets wait for their template at the end of the
	// interval.
	WaitingSets uint32
	// Templates is how many templates are known at the end of the interval.
	Templates uint32
	// SamplingIntervals are those known at the end of the interval, ascending.
	SamplingIntervals []uint32
	// UnsampledRecords were stored without a known sampling interval.
	UnsampledRecords uint64
	// LastReceivedAt is when the latest datagram came, zero if none did.
	LastReceivedAt time.Time
}
