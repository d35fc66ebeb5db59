package console

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// goneAfter is when silence of an exporter that nobody lists stops being a fault.
const goneAfter = 24 * time.Hour

// tolerable is how much of what an exporter sends may be lost on the way, in percent,
// before a person should look.
const tolerable = 0.1

// Judge sets Status, Faults, Problems, Notes and LostPercent from the facts, in words
// that say what to do. silentAfter is how long an exporter may send nothing.
func (e *ExporterStatus) Judge(now time.Time, silentAfter time.Duration) {
	e.Status, e.Faults, e.Problems, e.Notes = StatusOK, nil, nil, nil
	e.LostPercent = e.lostPercent()
	silence := now.Sub(e.LastReceivedAt)
	switch {
	case e.isRest() || silence <= silentAfter:
		// It sends.
	case !e.Listed && silence > goneAfter:
		e.Status = StatusGone // a stray datagram must not count as a fault for ever
	default:
		e.Status = StatusSilent
	}
	e.judgeSilence(now)
	e.judgeRefusal()
	e.judgeContent()
	e.judgeTemplates()
	e.judgeSampling()
	e.judgeSequence()
	e.judgeDrops()
	if e.Status == StatusOK && len(e.Faults) > 0 {
		e.Status = StatusProblem
	}
	for _, f := range e.Faults {
		e.Problems = append(e.Problems, f.Problem)
	}
	if !e.Listed && e.Dropped["refused"] == 0 && !e.isRest() {
		e.note("Not in the inventory: list it under exporters to give it a name and to be told when it falls silent.")
	}
}

// isRest says that these are the collector's counts for all that have no row.
func (e *ExporterStatus) isRest() bool { return e.Address.IsUnspecified() }

func (e *ExporterStatus) fault(kind, problem string, remedies ...Remedy) {
	e.Faults = append(e.Faults, Fault{kind, faultTitle(kind), problem, remedies})
}

func (e *ExporterStatus) note(format string, args ...any) {
	e.Notes = append(e.Notes, fmt.Sprintf(format, args...))
}

func (e *ExporterStatus) judgeSilence(now time.Time) {
	if e.Status == StatusOK {
		return
	}
	const check = "check that it is up, that it exports to this collector and from this address, and that no filter drops UDP between them."
	remedies := append(e.onRouter(FaultSilent), onMachine("tcpdump -ni any udp and src host "+e.Address.Unmap().String()))
	if e.LastReceivedAt.IsZero() {
		e.fault(FaultSilent, "Nothing was received from it in the last day: "+check, remedies...)
		return
	}
	e.fault(FaultSilent, fmt.Sprintf("Nothing received for %s, since %s UTC: %s",
		roughly(now.Sub(e.LastReceivedAt)), e.LastReceivedAt.UTC().Format("2006-01-02 15:04:05"), check), remedies...)
}

// judgeRefusal is about exporters that collector.exporters: listed keeps out.
func (e *ExporterStatus) judgeRefusal() {
	n := e.Dropped["refused"]
	switch {
	case n == 0:
	case e.isRest():
		e.note("%d datagrams of the last hour were refused, of senders that the inventory does not list.", n)
	case e.Listed:
		e.note("%d datagrams of the last hour were refused before the inventory listed it.", n)
	default:
		e.fault(FaultRefused, fmt.Sprintf("%d datagrams refused in the last hour: collector.exporters is listed, and the inventory does not list it. If it is yours, add these lines, then reload.", n),
			e.inInventory("    name: NAME", "    site: SITE"),
			onMachine("tapwatch check", "kill -HUP $(pidof tapwatch)"))
	}
}

// judgeContent is about what is no flow export.
func (e *ExporterStatus) judgeContent() {
	n := e.Dropped["unknown_version"]
	if n == 0 {
		return
	}
	remedies := []Remedy{onMachine("tcpdump -ni any -c 3 -X udp and src host " + e.Address.Unmap().String())}
	if len(e.Protocols) == 0 { // else its export is set up well, and something else comes here too
		remedies = append(remedies, e.onRouter(FaultNotFlow)...)
	}
	e.fault(FaultNotFlow, fmt.Sprintf("%d datagrams of the last hour (%s) are no flow export that tapwatch knows. See what they begin with: 0008 is NetFlow v8, 3c syslog, 30 SNMP. Send nothing but NetFlow v5, v7, v9, IPFIX or sFlow v5 to this port.",
		n, percent(n, max(n, e.Datagrams))), remedies...)
}

// judgeTemplates is about data that cannot be read for want of a template.
func (e *ExporterStatus) judgeTemplates() {
	missed, full := e.Dropped["missing_template"], e.Dropped["waiting_limit"]
	waiting := uint64(e.WaitingSets)
	if missed+full == 0 && (waiting == 0 || e.Templates > 0) {
		if waiting > 0 {
			e.note("%d data sets wait for a template; %d templates are known.", waiting, e.Templates)
		}
		return
	}
	what := "It sends data and no template"
	if e.Templates > 0 {
		what = "It sends data of which not all templates came"
	}
	var counts []string
	for _, c := range []struct {
		n    uint64
		what string
	}{{waiting, "data sets wait"}, {missed, "were dropped in the last hour"}, {full, "found no room to wait in"}} {
		if c.n > 0 {
			counts = append(counts, fmt.Sprintf("%d %s", c.n, c.what))
		}
	}
	e.fault(FaultNoTemplate, fmt.Sprintf("%s: %s. Let the router send its templates every minute.", what, strings.Join(counts, ", ")),
		slices.Concat(e.onRouter(FaultNoTemplate), e.remediesOf("waiting_limit"))...)
}

// remediesOf gives the remedies of a reason if something was dropped for it.
func (e *ExporterStatus) remediesOf(reason string) []Remedy {
	if e.Dropped[reason] == 0 {
		return nil
	}
	return lossOf(reason).remedies
}

func (e *ExporterStatus) judgeSampling() {
	if e.UnsampledRecords > 0 && !e.isRest() {
		e.fault(FaultSamplingUnknown, fmt.Sprintf(
			"%d records of the last hour (%s) came without a known sampling interval, so their bytes and packets are not scaled. Let the router export its sampler options, or write into the inventory what it samples: 1 of how many packets, 1 for every packet.",
			e.UnsampledRecords, percent(e.UnsampledRecords, max(e.UnsampledRecords, e.Records))),
			append(e.onRouter(FaultSamplingUnknown), e.inInventory("    sampling: 1000"))...)
	}
	if e.ExpectedSampling == 0 || len(e.SamplingIntervals) == 0 || slices.Contains(e.SamplingIntervals, e.ExpectedSampling) {
		return
	}
	said := e.SamplingIntervals[len(e.SamplingIntervals)-1]
	e.fault(FaultSamplingDiffers, fmt.Sprintf(
		"It says it samples 1 of %s packets, the inventory says 1 of %d: one of them is wrong. Bytes and packets are scaled by what the router says; if the inventory is right, they are %s.",
		join(e.SamplingIntervals), e.ExpectedSampling, factor(said, e.ExpectedSampling)),
		append(e.onRouter(FaultSamplingDiffers), e.inInventory(fmt.Sprintf("    sampling: %d", said)))...)
}

// factor says how wrong amounts are.
func factor(said, truly uint32) string {
	f, way := float64(said)/float64(truly), "high"
	if f < 1 {
		f, way = 1/f, "low"
	}
	return strconv.FormatFloat(math.Round(f*10)/10, 'f', -1, 64) + " times too " + way
}

// judgeDrops says what else was dropped, the most first.
func (e *ExporterStatus) judgeDrops() {
	reasons := slices.SortedFunc(maps.Keys(e.Dropped), func(a, b string) int {
		return cmp.Or(cmp.Compare(e.Dropped[b], e.Dropped[a]), cmp.Compare(a, b))
	})
	for _, reason := range reasons {
		n, l := e.Dropped[reason], lossOf(reason)
		switch {
		case n == 0 || slices.Contains([]string{FaultRefused, FaultNotFlow, FaultNoTemplate}, l.kind):
			// Nothing, or said already.
		case harmless(reason):
			e.note("%d in the last hour: %s.", n, l.words)
		default:
			e.fault(l.kind, fmt.Sprintf("%d dropped in the last hour: %s.", n, l.words), l.remedies...)
		}
	}
}

func join(intervals []uint32) string {
	var all []string
	for _, n := range intervals {
		all = append(all, fmt.Sprint(n))
	}
	return strings.Join(all, ", ")
}

// roughly writes a duration as people say it.
func roughly(d time.Duration) string {
	switch {
	case d < 2*time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()))
	default:
		return fmt.Sprintf("%d days", int(d.Hours()/24))
	}
}
