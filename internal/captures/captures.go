// Package captures finds the shared captures of real exports and says what to
// expect of each. Tests alone use it.
//
// The captures are not part of the repository. A clone without them passes its
// tests all the same, and says in one line what did not run.
package captures

import (
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"
)

// Variable names the environment variable that says where the captures are. By
// default they are in ../shared/captures beside the repository.
const Variable = "TAPWATCH_CAPTURES"

// Totals is what a capture holds: flow records, and the sums of their bytes and
// packets as exported.
type Totals struct {
	Flows, Bytes, Packets uint64
}

func (t Totals) String() string {
	return fmt.Sprintf("%d flows, %d bytes, %d packets", t.Flows, t.Bytes, t.Packets)
}

// Capture is one row of index.csv.
type Capture struct {
	// Name is the path below open/, as in index.csv.
	Name string
	// Path is the file.
	Path     string
	Protocol string
	// Expected is what independent decoders count.
	Expected Totals
	// Options is how many options data records there are; -1 unknown.
	Options int
	// Fields is the file of all records field by field (JSON lines, gzip); empty
	// if there is none.
	Fields string
}

// Folder gives the folder of the captures; ok is false where there is none.
func Folder() (dir string, ok bool) {
	dir = os.Getenv(Variable)
	if dir == "" {
		root, err := repository()
		if err != nil {
			return "", false
		}
		dir = filepath.Join(root, "..", "shared", "captures")
	}
	_, err := os.Stat(filepath.Join(dir, "index.csv"))
	return dir, err == nil
}

// repository gives the folder of go.mod, from the test's folder upward.
func repository() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		if filepath.Dir(dir) == dir {
			return "", fmt.Errorf("no go.mod above the working folder")
		}
		dir = filepath.Dir(dir)
	}
}

// Index reads index.csv. Without the captures it logs in one line that the cases
// did not run and gives none; but where Variable is set their absence fails the
// test, for who names a folder wants it used.
func Index(t testing.TB) []Capture {
	t.Helper()
	dir, ok := Folder()
	if !ok {
		if os.Getenv(Variable) != "" {
			t.Fatalf("%s=%s has no index.csv", Variable, os.Getenv(Variable))
		}
		t.Logf("NOT RUN: the cases of the shared captures (no %s; set %s)", dir, Variable)
		return nil
	}
	rows := read(t, filepath.Join(dir, "index.csv"))
	all := make([]Capture, 0, len(rows))
	for _, row := range rows {
		c := Capture{
			Name:     row["file"],
			Path:     filepath.Join(dir, "open", filepath.FromSlash(row["file"])),
			Protocol: row["protocol"],
			Expected: Totals{number(t, row["expected_flows"]), number(t, row["expected_octets"]), number(t, row["expected_packets"])},
			Options:  -1,
		}
		if row["expected_options_records"] != "" {
			c.Options = int(number(t, row["expected_options_records"]))
		}
		if row["fields"] != "" {
			c.Fields = filepath.Join(dir, filepath.FromSlash(row["fields"]))
		}
		all = append(all, c)
	}
	return all
}

// read gives the rows of a CSV file by the names in its header.
func read(t testing.TB, path string) []map[string]string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil || len(rows) < 2 {
		t.Fatalf("%s: %v, %d rows", path, err, len(rows))
	}
	var all []map[string]string
	for _, row := range rows[1:] {
		m := make(map[string]string)
		for i, name := range rows[0] {
			m[name] = row[i]
		}
		all = append(all, m)
	}
	return all
}

func number(t testing.TB, s string) uint64 {
	t.Helper()
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// Labelled gives the replays of labelled intrusions, as Index does the captures.
func Labelled(t testing.TB) []Capture {
	t.Helper()
	dir, ok := Folder()
	if !ok {
		t.Logf("NOT RUN: the labelled replays (no %s; set %s)", dir, Variable)
		return nil
	}
	var all []Capture
	for _, row := range read(t, filepath.Join(dir, "labelled", "index.csv")) {
		all = append(all, Capture{
			Name:     "labelled/" + row["name"],
			Path:     filepath.Join(dir, "labelled", row["name"], "replay-netflow9.pcap.gz"),
			Protocol: "NetFlow v9",
			Expected: Totals{number(t, row["replay_records"]), number(t, row["replay_octets"]), number(t, row["replay_pkts"])},
			Options:  -1,
		})
	}
	return all
}
