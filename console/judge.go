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
	e.judgeRefusal()
	if len(e.Faults) > 0 { // that explains all else
		e.conclude()
		return
	}
	e.Status = e.heard(now, silentAfter)
	e.judgeSilence(now)
	e.judgeContent()
	e.judgeTemplates()
	e.judgeSampling()
	e.judgeSequence()
	e.judgeDrops()
	e.conclude()
	if !e.Listed && e.Dropped["refused"] == 0 && !e.isRest() {
		e.note("Not in the inventory: list it under exporters to give it a name and to be told when it falls silent.")
	}
}

// conclude sets the status and the problems by the faults.
func (e *ExporterStatus) conclude() {
	if e.Status == StatusOK && len(e.Faults) > 0 {
		e.Status = StatusProblem
	}
	for _, f := range e.Faults {
		e.Problems = append(e.Problems, f.Problem)
	}
}

// heard gives the status by when something came last.
func (e *ExporterStatus) heard(now time.Time, silentAfter time.Duration) string {
	silence := now.Sub(e.LastReceivedAt)
	switch {
	case e.isRest() || silence <= silentAfter:
		return StatusOK
	case e.IsStranger(), !e.Listed && silence > goneAfter:
		return StatusGone // a stray datagram must not count as a fault for ever
	case e.goesOn("unknown_version"):
		return StatusOK // it is not silent: what it sends is no flow export
	default:
		return StatusSilent
	}
}

// IsStranger says that nobody lists it and that it sent nothing that made sense, or
// was not let in: anyone who forges addresses makes such exporters.
func (e *ExporterStatus) IsStranger() bool {
	return !e.Listed && len(e.Protocols) == 0 && e.Records == 0 && !e.isRest()
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
	switch e.Status {
	case StatusOK:
		return
	case StatusGone:
		e.note("Nothing received for %s.", roughly(now.Sub(e.LastReceivedAt)))
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
	case e.stopped(e.latest("refused")):
		e.mended("%d datagrams were refused", n)
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
	if e.stopped(e.latest("unknown_version")) {
		e.mended("%d datagrams were no flow export that tapwatch knows", n)
		return
	}
	remedies := []Remedy{onMachine("tcpdump -ni any -c 3 -X udp and src host " + e.Address.Unmap().String())}
	// Where flows come too, its export is set up well; a stranger may be no router at all.
	if len(e.Protocols) == 0 && !e.IsStranger() {
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
	if waiting == 0 && e.stopped(e.latest("missing_template")+e.latest("waiting_limit")) {
		e.mended("%d data sets were dropped for want of a template", missed+full)
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
	switch {
	case e.UnsampledRecords == 0 || e.isRest() || e.unreadable():
		// Nothing, or another fault explains it.
	case e.Latest != nil && e.Latest.Records > 0 && e.stopped(e.Latest.UnsampledRecords):
		e.mended("%d records came without a known sampling interval", e.UnsampledRecords)
	default:
		e.fault(FaultSamplingUnknown, fmt.Sprintf(
			"%d records of the last hour (%s) came without a known sampling interval, so their bytes and packets are not scaled. Let the router export its sampler options, or write into the inventory what it samples: 1 of how many packets, 1 for every packet.",
			e.UnsampledRecords, percent(e.UnsampledRecords, max(e.UnsampledRecords, e.Records))),
			append(e.onRouter(FaultSamplingUnknown), e.inInventory("    sampling: N  # one of how many packets; 1 if every packet"))...)
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
		case e.stopped(e.latest(reason)):
			what, _, _ := strings.Cut(l.words, ". ") // the rest is advice
			e.mended("%d dropped (%s)", n, what)
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
