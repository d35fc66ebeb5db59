package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"flag"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tapwatch/console"
	"tapwatch/inventory"
)

var update = flag.Bool("update", false, "write the golden files anew")

var doctorNow = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

// patient is an exporter that is well, judged after change.
func patient(change func(*console.ExporterStatus)) console.ExporterStatus {
	e := console.ExporterStatus{
		Address: netip.MustParseAddr("10.30.0.2"), Name: "pe2.east", Site: "east", Listed: true, Protocols: []string{"netflow9"},
		IntervalEnd: doctorNow.Add(-20 * time.Second), IntervalSeconds: 60, DatagramsPerSecond: 20, RecordsPerSecond: 480,
		Datagrams: 72_000, Records: 1_728_000, LastReceivedAt: doctorNow.Add(-2 * time.Second), Templates: 3,
		SamplingIntervals: []uint32{1000}, ExpectedSampling: 1000,
	}
	change(&e)
	e.Judge(doctorNow, 10*time.Minute)
	return e
}

func noTemplate(e *console.ExporterStatus) {
	e.Templates, e.WaitingSets, e.Records, e.RecordsPerSecond, e.SamplingIntervals = 0, 412, 0, 0, nil
	e.Dropped = map[string]uint64{"missing_template": 71_020}
}

func wrongSampling(e *console.ExporterStatus) {
	e.Platform, e.SamplingIntervals = inventory.IOSXR, []uint32{4096}
}

func gaps(e *console.ExporterStatus) {
	e.Platform, e.LostDatagrams, e.LateDatagrams = inventory.Junos, 3_100, 12
}

func unlisted(e *console.ExporterStatus) {
	*e = console.ExporterStatus{
		Address: netip.MustParseAddr("2001:db8::9"), LastReceivedAt: doctorNow.Add(-time.Second), Datagrams: 931,
		Dropped: map[string]uint64{"refused": 931},
	}
}

// TestDoctorWords holds the words for the commonest faults.
func TestDoctorWords(t *testing.T) {
	for name, change := range map[string]func(*console.ExporterStatus){
		"no-template": noTemplate, "wrong-sampling": wrongSampling, "sequence-gaps": gaps, "not-listed": unlisted,
		"well": func(*console.ExporterStatus) {},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			if err := printDiagnosis(&out, []console.ExporterStatus{patient(change)}, nil, false); err != nil {
				t.Fatal(err)
			}
			golden(t, "doctor-"+name+".txt", out.Bytes())
		})
	}
}

// TestDoctorOfOne holds what is written about one exporter alone, and of two with the
// same fault.
func TestDoctorOfOne(t *testing.T) {
	var out bytes.Buffer
	if err := printOne(&out, patient(gaps)); err != nil {
		t.Fatal(err)
	}
	golden(t, "doctor-one.txt", out.Bytes())
	out.Reset()
	second := patient(noTemplate)
	second.Name, second.Address = "pe3.east", netip.MustParseAddr("10.30.0.3")
	if err := printDiagnosis(&out, []console.ExporterStatus{patient(noTemplate), second}, nil, false); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(out.String(), "template data timeout 60"); n != 2 || !strings.Contains(out.String(), "Cisco IOS-XE: as for pe2.east (10.30.0.2) above") {
		t.Errorf("the same commands %d times:\n%s", n, out.String())
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Error(diff)
	}
}

// TestDoctorStrangers: who sends nothing that makes sense does not drown the others.
func TestDoctorStrangers(t *testing.T) {
	var all []console.ExporterStatus
	for n := range 40 {
		all = append(all, patient(func(e *console.ExporterStatus) {
			unlisted(e)
			e.Address, e.Datagrams = netip.AddrFrom4([4]byte{10, 0, 0, byte(n)}), uint64(n)
			switch n {
			case 38: // sends garbage
				e.Dropped = map[string]uint64{"unknown_version": 7}
			case 39: // went away
				e.LastReceivedAt, e.Latest, e.IntervalSeconds = doctorNow.Add(-time.Hour), new(console.IntervalCounts), 60
			}
		}))
	}
	all = append(all, patient(func(*console.ExporterStatus) {}))
	for _, c := range []struct {
		all   bool
		shown int
		more  string
	}{{false, strangersShown, "and 34 more"}, {true, 39, ""}} {
		var out bytes.Buffer
		if err := printDiagnosis(&out, all, nil, c.all); err != nil {
			t.Fatal(err)
		}
		faults, table, _ := strings.Cut(out.String(), "\nstatus ")
		if got := strings.Count(table, "problem   10.0.0.") + strings.Count(table, "problem  10.0.0."); got != c.shown {
			t.Errorf("%d strangers in the table:\n%s", got, table)
		}
		if i := strings.Index(table, "pe2.east"); i < 0 || i > strings.Index(table, "10.0.0.") {
			t.Errorf("the router that is well is not first:\n%s", table)
		}
		for _, want := range []string{"1 of 1 exporters are well.", "could be taken: 39.", "1 more that the inventory does not list have stopped", c.more} {
			if !strings.Contains(table, want) {
				t.Errorf("no %q in\n%s", want, table)
			}
		}
		if !strings.Contains(faults, "10.0.0.38 sends what is no flow export") || strings.Contains(out.String(), "silent") || strings.Contains(faults, "TAPWATCH") {
			t.Errorf("%s", faults)
		}
	}
}

// TestDoctorForMachines: JSON and CSV have problems and remedies too.
func TestDoctorForMachines(t *testing.T) {
	all := []console.ExporterStatus{patient(gaps), patient(func(*console.ExporterStatus) {})}
	var out bytes.Buffer
	if err := writeDiagnosis(&out, all, "json"); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(out.String(), "null") {
		t.Errorf("a missing list is null: %s", out.String())
	}
	var first console.ExporterStatus
	if err := json.NewDecoder(&out).Decode(&first); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(all[0].Faults, first.Faults); diff != "" || first.LostDatagrams != 3100 || first.LostPercent < 4 {
		t.Errorf("%+v: %s", first, diff)
	}
	out.Reset()
	if err := writeDiagnosis(&out, all, "csv"); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&out).ReadAll()
	if err != nil || len(rows) != 3 {
		t.Fatal(err, rows)
	}
	cell := func(name string) string { return rows[1][slices.Index(rows[0], name)] }
	if cell("lost_datagrams") != "3100" || cell("lost_percent") != "4.13" || !strings.Contains(cell("problems"), "3100 of 75100 datagrams") ||
		!strings.Contains(cell("remedies"), "lost, Juniper Junos: show services accounting errors") {
		t.Errorf("%q", rows)
	}
}

func TestChosenExporter(t *testing.T) {
	all := []console.ExporterStatus{patient(unlisted), patient(gaps)}
	for _, which := range []string{"10.30.0.2", "pe2.east", "PE2.east"} {
		if got, err := chosen(all, which); err != nil || got[0].Name != "pe2.east" {
			t.Errorf("%s: %v, %v", which, got, err)
		}
	}
	for _, which := range []string{"10.30.0.99", "pe9", " "} {
		if _, err := chosen(all, which); err == nil || report(new(bytes.Buffer), err) != exitMisuse || !strings.Contains(err.Error(), which) {
			t.Errorf("%s: %v", which, err)
		}
	}
}

// TestRemediesAreValid: lines for files are such that tapwatch takes them.
func TestRemediesAreValid(t *testing.T) {
	dropped := map[string]uint64{}
	for _, reason := range []string{"waiting_limit", "template_limit", "hostile_template", "exporter_limit", "connection_limit", "queue_full", "socket_buffer_full"} {
		dropped[reason] = 1
	}
	for _, address := range []string{"10.0.0.1", "2001:db8::", "::ffff:10.0.0.1"} {
		e := patient(func(e *console.ExporterStatus) {
			e.Address, e.Listed, e.Dropped, e.UnsampledRecords, e.SamplingIntervals = netip.MustParseAddr(address), false, dropped, 5, []uint32{7}
		})
		refused := patient(func(e *console.ExporterStatus) { unlisted(e); e.Address = netip.MustParseAddr(address) })
		e.Faults = append(e.Faults, refused.Faults...)
		checked := 0
		for _, f := range e.Faults {
			for _, r := range f.Remedies {
				text := strings.ReplaceAll(strings.Join(r.Lines, "\n")+"\n", "sampling: N ", "sampling: 1000 ")
				files := map[string]string{r.Where: text}
				switch r.Where {
				case "inventory.yaml":
					files["tapwatch.yaml"] = "inventory: inventory.yaml\n"
				case "tapwatch.yaml":
				default:
					continue
				}
				checked++
				if got := tapwatch(t, files, "check"); got.code != exitGood {
					t.Errorf("%s: %s\n%s", f.Kind, text, got.err)
				}
			}
		}
		if checked < 9 {
			t.Errorf("only %d remedies checked of %+v", checked, e.Faults)
		}
	}
}
