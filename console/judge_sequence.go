package console

import (
	"fmt"
	"strings"
)

// lostPercent is how much of what it sent in the last hour did not arrive. An exporter
// that speaks protocols of both kinds has the worse of both.
func (e *ExporterStatus) lostPercent() float64 {
	return max(share(e.LostDatagrams, e.Datagrams+e.LostDatagrams), share(e.LostRecords, e.sentRecords()))
}

// sentRecords counts options records too, for IPFIX numbers them (RFC 7011 §3.1).
func (e *ExporterStatus) sentRecords() uint64 { return e.Records + e.OptionsRecords + e.LostRecords }

// judgeSequence is about what the sequence numbers tell.
func (e *ExporterStatus) judgeSequence() {
	if e.LostDatagrams+e.LostRecords > 0 {
		e.judgeLoss()
	}
	if e.LateDatagrams > 0 {
		e.note("%d datagrams of the last hour (%s) were overtaken by later ones; none of them is lost.",
			e.LateDatagrams, percent(e.LateDatagrams, max(e.LateDatagrams, e.Datagrams)))
	}
	if e.Restarts > 0 {
		e.fault(FaultRestarts, fmt.Sprintf("Its sequence numbers began anew %s in the last hour: the router, or what exports on it, restarted. Find out whether somebody wanted that.", times(e.Restarts)),
			e.onRouter(FaultRestarts)...)
	}
}

// judgeLoss says what is missing, and where to look: the collector first, because
// there it is known, then the router's queue and the network between.
func (e *ExporterStatus) judgeLoss() {
	var missing []string
	if n := e.LostDatagrams; n > 0 {
		missing = append(missing, fmt.Sprintf("%d of %d datagrams (%s)", n, n+e.Datagrams, percent(n, n+e.Datagrams)))
	}
	if n := e.LostRecords; n > 0 {
		missing = append(missing, fmt.Sprintf("%d of %d records (%s)", n, e.sentRecords(), percent(n, e.sentRecords())))
	}
	what := strings.Join(missing, " and ") + " that it sent in the last hour did not arrive, by the gaps in its sequence numbers."
	if e.LostPercent < tolerable {
		e.note("%s", what)
		return
	}
	if e.Latest != nil && e.Latest.Datagrams > 0 && e.stopped(e.Latest.LostRecords+e.Latest.LostDatagrams) {
		e.mended("%s were lost", strings.Join(missing, " and "))
		return
	}
	if e.DroppedByCollector > 0 {
		e.fault(FaultLost, fmt.Sprintf("%s Meanwhile the collector itself could not take %d datagrams, of this exporter or others: mend that first.", what, e.DroppedByCollector),
			append(keepUp(), e.onRouter(FaultLost)...)...)
		return
	}
	e.fault(FaultLost, what+" The collector dropped none, so look at the router's export queue (its counters of failed exports), then at the network between: filters and policers for UDP, full links, a source address that changes. Mark exports so that QoS spares them.",
		e.onRouter(FaultLost)...)
}

// share is n of all in percent.
func share(n, all uint64) float64 {
	if all == 0 {
		return 0
	}
	return 100 * float64(n) / float64(all)
}

// percent writes a share as people read it.
func percent(n, all uint64) string {
	switch p := share(n, all); {
	case n > 0 && p < 0.1:
		return "less than 0.1 %"
	case p < 10 || p > 99 && n < all:
		return fmt.Sprintf("%.1f %%", min(p, 99.9))
	default:
		return fmt.Sprintf("%.0f %%", p)
	}
}

func times(n uint64) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}
