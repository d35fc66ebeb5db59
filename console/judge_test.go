package console_test

import (
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"tapwatch/collector"
	"tapwatch/console"
	"tapwatch/inventory"
)

// judged is a listed exporter that is well, judged after change.
func judged(change func(*console.ExporterStatus)) console.ExporterStatus {
	e := console.ExporterStatus{
		Address: netip.MustParseAddr("10.30.0.2"), Name: "pe2", Listed: true, Protocols: []string{"ipfix"},
		LastReceivedAt: noon.Add(-time.Second), Templates: 3, Datagrams: 90_000, Records: 2_000_000,
		SamplingIntervals: []uint32{1000}, ExpectedSampling: 1000,
	}
	change(&e)
	e.Judge(noon, 10*time.Minute)
	return e
}

func dropped(reason string, n uint64) func(*console.ExporterStatus) {
	return func(e *console.ExporterStatus) { e.Dropped = map[string]uint64{reason: n} }
}

// TestJudgeFaults: every fault, its kind, its words with their numbers, and what is to
// be typed.
func TestJudgeFaults(t *testing.T) {
	type exporter = console.ExporterStatus
	for _, c := range []struct {
		name   string
		change func(*exporter)
		kind   string
		words  []string
		typed  []string
	}{
		{"silent", func(e *exporter) { e.LastReceivedAt = noon.Add(-time.Hour) }, console.FaultSilent,
			[]string{"Nothing received for 60 min, since 2026-03-01 11:00:00 UTC", "from this address"}, []string{"ping COLLECTOR source 10.30.0.2", "tcpdump -ni any udp and src host 10.30.0.2"}},
		{"never heard", func(e *exporter) { e.LastReceivedAt = time.Time{} }, console.FaultSilent,
			[]string{"Nothing was received from it in the last day"}, []string{"show cflowd status"}},
		{"refused", func(e *exporter) { e.Listed, e.Name = false, ""; e.Dropped = map[string]uint64{"refused": 12} }, console.FaultRefused,
			[]string{"12 datagrams refused in the last hour", "collector.exporters is listed"}, []string{"exporters:\n  - address: 10.30.0.2\n    name: NAME", "kill -HUP"}},
		{"no flow at all", func(e *exporter) { e.Protocols, e.Datagrams = nil, 400; dropped("unknown_version", 100)(e) }, console.FaultNotFlow,
			[]string{"100 datagrams of the last hour (25 %)", "NetFlow v8", "syslog"}, []string{"tcpdump", "export-protocol ipfix", "version=ipfix"}},
		{"something else too", dropped("unknown_version", 90), console.FaultNotFlow, []string{"90 datagrams of the last hour (0.1 %)"}, []string{"tcpdump"}},
		{"data waits and no template came", func(e *exporter) { e.Templates, e.WaitingSets = 0, 41 }, console.FaultNoTemplate,
			[]string{"It sends data and no template: 41 data sets wait."}, []string{"template data timeout 60", "template-refresh-rate seconds 60", "template-retransmit 60", "v9-template-timeout=1m"}},
		{"data was dropped for want of a template", dropped("missing_template", 7), console.FaultNoTemplate,
			[]string{"not all templates came: 7 were dropped"}, []string{"template options timeout 60"}},
		{"no room to wait", func(e *exporter) {
			e.Dropped = map[string]uint64{"waiting_limit": 5, "missing_template": 2}
			e.WaitingSets = 900
		}, console.FaultNoTemplate,
			[]string{"900 data sets wait, 2 were dropped in the last hour, 5 found no room"}, []string{"max_waiting_bytes_per_exporter: "}},
		{"sampling not said", func(e *exporter) { e.UnsampledRecords, e.SamplingIntervals = 500_000, nil }, console.FaultSamplingUnknown,
			[]string{"500000 records of the last hour (25 %)", "not scaled"}, []string{"option sampler-table timeout 60", "options sampler-table timeout 60", "option-refresh-rate seconds 60", "address: 10.30.0.2\n    sampling: "}},
		{"sampling too high", func(e *exporter) { e.SamplingIntervals = []uint32{2000} }, console.FaultSamplingDiffers,
			[]string{"samples 1 of 2000 packets, the inventory says 1 of 1000", "2 times too high"},
			[]string{"mode random 1 out-of 1000", "random 1 out-of 1000", "input rate 1000", "sample-rate 1000", "sampling-interval=1 sampling-space=999", "sampling: 2000"}},
		{"sampling too low", func(e *exporter) { e.SamplingIntervals = []uint32{100, 250} }, console.FaultSamplingDiffers,
			[]string{"1 of 100, 250 packets", "4 times too low"}, nil},
		{"sampling where none should be", func(e *exporter) { e.ExpectedSampling = 1 }, console.FaultSamplingDiffers,
			[]string{"the inventory says 1 of 1:", "1000 times too high"}, []string{"packet-sampling=no", "no ip flow monitor TAPWATCH sampler"}},
		{"records lost", func(e *exporter) { e.LostRecords, e.OptionsRecords = 50_000, 450_000 }, console.FaultLost,
			[]string{"50000 of 2500000 records (2.0 %) that it sent in the last hour did not arrive", "The collector dropped none", "export queue"},
			[]string{"show flow exporter TAPWATCH statistics", "inline-jflow flow-export-rate"}},
		{"datagrams lost", func(e *exporter) { e.LostDatagrams = 10_000 }, console.FaultLost,
			[]string{"10000 of 100000 datagrams (10 %)"}, []string{"dscp 16"}},
		{"lost by both counts", func(e *exporter) { e.LostDatagrams, e.LostRecords = 10_000, 50 }, console.FaultLost,
			[]string{"10000 of 100000 datagrams (10 %) and 50 of 2000050 records (less than 0.1 %)"}, nil},
		{"lost here", func(e *exporter) { e.LostDatagrams, e.DroppedByCollector = 10_000, 12_345 }, console.FaultLost,
			[]string{"the collector itself could not take 12345 datagrams"}, []string{"net.core.rmem_max", "receive_buffer_bytes", "workers"}},
		{"all lost but a few", func(e *exporter) { e.Datagrams, e.LostDatagrams = 1, 99_999 }, console.FaultLost,
			[]string{"99999 of 100000 datagrams (99.9 %)"}, nil},
		{"restarted", func(e *exporter) { e.Restarts = 1 }, console.FaultRestarts,
			[]string{"began anew once in the last hour"}, []string{"show version", "/system/resource/print"}},
		{"restarted often", func(e *exporter) { e.Restarts = 3 }, console.FaultRestarts, []string{"began anew 3 times"}, nil},
		{"too many templates", dropped("template_limit", 3), console.FaultLimit, []string{"3 dropped in the last hour: templates beyond"}, []string{"max_templates_per_exporter"}},
		{"templates too wide", dropped("hostile_template", 3), console.FaultLimit, nil, []string{"max_template_fields: "}},
		{"too many exporters", dropped("exporter_limit", 3), console.FaultLimit, nil, []string{"max_exporters"}},
		{"too many connections", dropped("connection_limit", 3), console.FaultLimit, nil, []string{"max_connections"}},
		{"queue full", dropped("queue_full", 9), console.FaultCollector, []string{"9 dropped in the last hour: datagrams that came faster"}, []string{"workers: ", "queue_bytes: "}},
		{"socket buffer full", dropped("socket_buffer_full", 9), console.FaultCollector, nil, []string{"net.core.rmem_max"}},
		{"not stored", dropped("sink_failed", 9), console.FaultCollector, []string{"could not be stored"}, []string{"/readyz"}},
		{"cut short", dropped("truncated", 9), console.FaultDamaged, []string{"MTU"}, nil},
		{"a reason without words", dropped("odd_thing", 2), console.FaultDamaged, []string{"2 dropped in the last hour: odd thing."}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := judged(c.change)
			if len(e.Faults) != 1 || len(e.Problems) != 1 || e.Problems[0] != e.Faults[0].Problem {
				t.Fatalf("faults %+v, problems %q", e.Faults, e.Problems)
			}
			f := e.Faults[0]
			if f.Kind != c.kind || f.Title == "" || e.Status != console.StatusProblem && e.Status != console.StatusSilent {
				t.Errorf("%s, %q, status %s; want %s", f.Kind, f.Title, e.Status, c.kind)
			}
			contains(t, f.Problem, c.words)
			contains(t, typed(f), c.typed)
		})
	}
}

// typed is all that a fault has to be typed.
func typed(f console.Fault) string {
	var all []string
	for _, r := range f.Remedies {
		all = append(all, strings.Join(r.Lines, "\n"))
	}
	return strings.Join(all, "\n\n")
}

func contains(t *testing.T, text string, wants []string) {
	t.Helper()
	for _, want := range wants {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in:\n%s", want, text)
		}
	}
}

// TestJudgeNotes: what is worth knowing and no fault.
func TestJudgeNotes(t *testing.T) {
	type exporter = console.ExporterStatus
	for _, c := range []struct {
		name   string
		change func(*exporter)
		note   string
	}{
		{"a little lost", func(e *exporter) { e.LostRecords = 100 }, "100 of 2000100 records (less than 0.1 %)"},
		{"late", func(e *exporter) { e.LateDatagrams = 900 }, "900 datagrams of the last hour (1.0 %) were overtaken"},
		{"one template of several is waited for", func(e *exporter) { e.WaitingSets = 4 }, "4 data sets wait for a template; 3 templates are known."},
		{"refused until it was listed", dropped("refused", 5), "5 datagrams of the last hour were refused before the inventory listed it."},
		{"noise after the last record", dropped("trailing_bytes", 5), "5 in the last hour: datagrams with bytes after the last record"},
		{"samples without flows", dropped("unsupported_sample", 5), "5 in the last hour: sFlow samples of a kind"},
		{"not listed", func(e *exporter) { e.Listed = false }, "Not in the inventory"},
	} {
		e := judged(c.change)
		if e.Status != console.StatusOK || len(e.Faults) != 0 || len(e.Notes) != 1 || !strings.HasPrefix(e.Notes[0], c.note) {
			t.Errorf("%s: %s, faults %+v, notes %q", c.name, e.Status, e.Faults, e.Notes)
		}
	}
	if e := judged(func(*exporter) {}); e.Status != console.StatusOK || len(e.Faults)+len(e.Notes) != 0 {
		t.Errorf("an exporter that is well: %+v", e)
	}
}

// TestJudgeMended: what the last interval counts no more is a note; what nobody can
// know to be mended, or should hear of, stays a fault.
func TestJudgeMended(t *testing.T) {
	type exporter = console.ExporterStatus
	type counts = console.IntervalCounts
	drop := func(reason string) func(*exporter) { return dropped(reason, 40) }
	stranger := func(e *exporter) {
		*e = exporter{Address: e.Address, LastReceivedAt: e.LastReceivedAt, Datagrams: 40}
		drop("refused")(e)
	}
	for _, c := range []struct {
		name   string
		change func(*exporter)
		latest counts
		kind   string // empty: a note, which begins with:
		note   string
	}{
		{"refused", stranger, counts{}, "", "40 datagrams were refused in the last hour, none in the last minute: mended?"},
		{"refused still", stranger, counts{Dropped: map[string]uint64{"refused": 1}}, console.FaultRefused, ""},
		{"no flow", drop("unknown_version"), counts{}, "", "40 datagrams were no flow export that tapwatch knows in the last hour, none"},
		{"no flow still", drop("unknown_version"), counts{Dropped: map[string]uint64{"unknown_version": 9}}, console.FaultNotFlow, ""},
		{"templates", drop("missing_template"), counts{Datagrams: 9}, "", "40 data sets were dropped for want of a template in the last hour, none"},
		{"templates, and others wait", func(e *exporter) { drop("missing_template")(e); e.WaitingSets = 2 }, counts{Datagrams: 9}, console.FaultNoTemplate, ""},
		{"sampling", func(e *exporter) { e.UnsampledRecords = 40 }, counts{Records: 9}, "", "40 records came without a known sampling interval in the last hour, none"},
		{"sampling, and no record since", func(e *exporter) { e.UnsampledRecords = 40 }, counts{}, console.FaultSamplingUnknown, ""},
		{"loss", func(e *exporter) { e.LostDatagrams = 10_000 }, counts{Datagrams: 9}, "", "10000 of 100000 datagrams (10 %) were lost in the last hour, none"},
		{"loss, and nothing since", func(e *exporter) { e.LostDatagrams = 10_000 }, counts{}, console.FaultLost, ""},
		{"loss goes on", func(e *exporter) { e.LostDatagrams = 10_000 }, counts{Datagrams: 9, LostDatagrams: 1}, console.FaultLost, ""},
		{"queue", drop("queue_full"), counts{}, "", "40 dropped (datagrams that came faster than they could be decoded) in the last hour, none in the last minute: mended?"},
		{"a restart is nothing to mend", func(e *exporter) { e.Restarts = 1 }, counts{Datagrams: 9}, console.FaultRestarts, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := judged(func(e *exporter) { c.change(e); e.Latest, e.IntervalSeconds = &c.latest, 60 })
			if c.kind != "" {
				if e.Status != console.StatusProblem || len(e.Faults) != 1 || e.Faults[0].Kind != c.kind {
					t.Errorf("%s, %+v", e.Status, e.Faults)
				}
				return
			}
			if e.Status != console.StatusOK || len(e.Faults) != 0 || len(e.Notes) != 1 || !strings.HasPrefix(e.Notes[0], c.note) {
				t.Errorf("%s, %+v, %q", e.Status, e.Faults, e.Notes)
			}
		})
	}
	short := judged(func(e *exporter) { stranger(e); e.Latest, e.IntervalSeconds = new(counts), 1 })
	if len(short.Faults) != 1 {
		t.Errorf("a second without any tells that it is mended: %q", short.Notes)
	}
}

// TestJudgeExplains: a fault that explains others stands alone.
func TestJudgeExplains(t *testing.T) {
	type exporter = console.ExporterStatus
	for _, c := range []struct {
		name   string
		change func(*exporter)
		kind   string // empty: none
		status string
	}{
		{"refused", func(e *exporter) {
			e.Listed, e.LastReceivedAt, e.UnsampledRecords, e.Restarts = false, noon.Add(-time.Hour), 9, 1
			e.Dropped = map[string]uint64{"refused": 5, "truncated": 3}
		}, console.FaultRefused, console.StatusProblem},
		{"no template", func(e *exporter) {
			e.Templates, e.WaitingSets, e.UnsampledRecords, e.Latest = 0, 7, 40, &console.IntervalCounts{Datagrams: 7}
		}, console.FaultNoTemplate, console.StatusProblem},
		{"no flow", func(e *exporter) {
			dropped("unknown_version", 5)(e)
			e.LastReceivedAt, e.UnsampledRecords = noon.Add(-time.Hour), 40
			e.Latest = &console.IntervalCounts{Dropped: map[string]uint64{"unknown_version": 1}}
		}, console.FaultNotFlow, console.StatusProblem},
		{"a stranger that went away", func(e *exporter) {
			*e = exporter{Address: e.Address, LastReceivedAt: noon.Add(-time.Hour), Latest: new(console.IntervalCounts), IntervalSeconds: 60}
			dropped("unknown_version", 5)(e)
		}, "", console.StatusGone},
	} {
		e := judged(c.change)
		if e.Status != c.status || c.kind == "" && len(e.Faults) > 0 || c.kind != "" && (len(e.Faults) != 1 || e.Faults[0].Kind != c.kind) {
			t.Errorf("%s: %s, %+v", c.name, e.Status, e.Faults)
		}
	}
	garbage := judged(func(e *exporter) {
		*e = exporter{Address: e.Address, LastReceivedAt: e.LastReceivedAt, Datagrams: 5}
		dropped("unknown_version", 5)(e)
	})
	for _, r := range garbage.Faults[0].Remedies {
		if r.Platform != "" {
			t.Errorf("commands for a router that is perhaps none: %+v", r)
		}
	}
}

// TestJudgePlatform: where the platform is known, its commands alone are shown.
func TestJudgePlatform(t *testing.T) {
	all := func(e *console.ExporterStatus) {
		e.Protocols = nil
		e.Templates, e.WaitingSets, e.UnsampledRecords, e.SamplingIntervals = 0, 4, 5, []uint32{7}
		e.LostDatagrams, e.Restarts = 50_000, 2
		e.Dropped = map[string]uint64{"unknown_version": 5}
	}
	platformsOf := func(e console.ExporterStatus) map[string]int {
		n := map[string]int{}
		for _, f := range e.Faults {
			for _, r := range f.Remedies {
				if r.Where == "" || len(r.Lines) == 0 {
					t.Errorf("%s: an empty remedy %+v", f.Kind, r)
				}
				n[r.Platform]++
			}
		}
		delete(n, "") // not for routers
		return n
	}
	unknown := platformsOf(judged(all))
	for _, p := range inventory.Platforms() {
		known := platformsOf(judged(func(e *console.ExporterStatus) { all(e); e.Platform = p }))
		if len(known) != 1 || known[p] < 5 || known[p] != unknown[p] {
			t.Errorf("%s: remedies of %v, where the platform is not known of %v", p, known, unknown)
		}
	}
}

// TestJudgeRest: the collector's counts for all that have no row are neither silent nor
// to be listed.
func TestJudgeRest(t *testing.T) {
	rest := func(reason string) console.ExporterStatus {
		e := console.ExporterStatus{Address: netip.IPv6Unspecified(), Name: "all others", Dropped: map[string]uint64{reason: 5}}
		e.Judge(noon, time.Minute)
		return e
	}
	if e := rest("socket_buffer_full"); e.Status != console.StatusProblem || len(e.Faults) != 1 || len(e.Notes) != 0 {
		t.Errorf("%+v", e)
	}
	if e := rest("refused"); e.Status != console.StatusOK || len(e.Faults) != 0 || len(e.Notes) != 1 {
		t.Errorf("%+v", e)
	}
}

// TestExportersPage: docs/exporters.md has every fault, and every line that is to be
// typed on a router.
func TestExportersPage(t *testing.T) {
	data, err := os.ReadFile("../docs/exporters.md")
	if err != nil {
		t.Fatal(err)
	}
	page := string(data)
	plain := strings.NewReplacer("COLLECTOR", "192.0.2.10", "INTERFACE", "GigabitEthernet0/0/0")
	kinds := map[string]bool{}
	never := judged(func(e *console.ExporterStatus) { e.LastReceivedAt = time.Time{} })
	refused := judged(func(e *console.ExporterStatus) { e.Listed = false; dropped("refused", 1)(e) })
	all := []console.ExporterStatus{never, refused}
	for _, sampling := range []uint32{1000, 1} {
		all = append(all, judged(func(e *console.ExporterStatus) {
			e.Protocols, e.WaitingSets, e.Templates = nil, 4, 0
			e.UnsampledRecords, e.SamplingIntervals, e.ExpectedSampling = 5, []uint32{7}, sampling
			e.LostDatagrams, e.Restarts = 50_000, 2
			e.Dropped = map[string]uint64{"unknown_version": 5, "truncated": 1, "queue_full": 1, "template_limit": 1}
		}))
	}
	for _, e := range all {
		for _, f := range e.Faults {
			kinds[f.Kind] = true
			if !strings.Contains(page, "| `"+f.Kind+"` |") {
				t.Errorf("the page does not explain %s", f.Kind)
			}
			for _, r := range f.Remedies {
				for _, line := range r.Lines {
					// Looking harms nobody.
					looks := strings.HasPrefix(line, "show ") || strings.Contains(line, "ping ") || strings.HasSuffix(line, "print") || strings.Contains(line, "/print ")
					if r.Platform != "" && !looks && !strings.Contains(page, configured(plain.Replace(line))) {
						t.Errorf("%s, %s: the page does not show %q", f.Kind, r.Where, line)
					}
				}
			}
		}
	}
	if len(kinds) != 11 {
		t.Errorf("only the faults %v", kinds)
	}
}

// configured is what a command sets, without the words by which the page says it in
// another command.
func configured(line string) string {
	if properties, ok := strings.CutPrefix(line, "/ip/traffic-flow/target/set [find] "); ok {
		return properties
	}
	return strings.TrimSpace(strings.TrimPrefix(line, "/ip/traffic-flow/set "))
}

// TestEveryReasonHasWords: every reason that the collector counts by is explained.
func TestEveryReasonHasWords(t *testing.T) {
	for r := range collector.Reasons {
		e := judged(func(e *console.ExporterStatus) { e.Listed = r != collector.Refused; dropped(r.String(), 5)(e) })
		words := slices.Concat(e.Problems, e.Notes)
		plain := fmt.Sprintf("5 dropped in the last hour: %s.", strings.ReplaceAll(r.String(), "_", " "))
		if len(words) == 0 || slices.Contains(words, plain) {
			t.Errorf("%s has no words: %q", r, words)
		}
	}
}
