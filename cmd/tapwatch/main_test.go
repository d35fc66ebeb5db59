package main

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"tapwatch/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// result is what a call of the program left.
type result struct {
	code     int
	out, err string
}

// tapwatch calls the program in-process in an empty directory with the given files.
func tapwatch(t *testing.T, files map[string]string, args ...string) result {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return tapwatchIn(t, dir, args...)
}

// tapwatchIn calls the program in-process in a directory.
func tapwatchIn(t *testing.T, dir string, args ...string) result {
	t.Helper()
	t.Chdir(dir)
	var out, errs bytes.Buffer
	code := run(t.Context(), args, stdio{strings.NewReader(""), &out, &errs})
	return result{code, out.String(), errs.String()}
}

// TestMisuse holds what bad input gets: an error that names the place and the
// remedy, exit code 2, and nothing started.
func TestMisuse(t *testing.T) {
	for _, c := range []struct {
		name  string
		files map[string]string
		args  []string
		want  string
	}{
		{"unknown command", nil, []string{"rnu"}, "rnu"},
		{"unknown flag", nil, []string{"run", "--verbose"}, "--verbose"},
		{"no such configuration file", nil, []string{"-c", "no.yaml", "run"}, "no.yaml: no such file"},
		{"unknown key", map[string]string{"tapwatch.yaml": "collector:\n  lisen: [\":2055\"]\n"}, []string{"run"}, `tapwatch.yaml:2:3: unknown field "lisen"`},
		{"value of a wrong type", map[string]string{"tapwatch.yaml": "collector:\n  workers: many\n"}, []string{"run"}, `tapwatch.yaml:2:12: "many" is not a whole number`},
		{"bad value", map[string]string{"tapwatch.yaml": "collector:\n  exporters: some\n"}, []string{"run"}, "tapwatch.yaml:2:14: collector.exporters: "},
		{"bad duration", map[string]string{"tapwatch.yaml": "detect:\n  window: ten\n"}, []string{"run"}, `tapwatch.yaml:2:11: detect.window: "ten" is not a duration`},
		{"no such inventory", map[string]string{"tapwatch.yaml": "inventory: inv.yaml\n"}, []string{"run"}, "tapwatch.yaml:1:12: inventory: "},
		{
			"mistake in the inventory",
			map[string]string{"tapwatch.yaml": "inventory: inv.yaml\n", "inv.yaml": "zones:\n- name: li\n  kind: lawful-intercept\n  prefixes: [10.0.0.0/33]\n"},
			[]string{"check"},
			"inv.yaml:4:14: zones[0].prefixes[0]: ",
		},
		{"no such geography", map[string]string{"tapwatch.yaml": "enrich:\n  geo:\n    country_database: geo.mmdb\n"}, []string{"run"}, "make setup"},
		{"broken geography", map[string]string{"tapwatch.yaml": "enrich:\n  geo:\n    country_database: geo.mmdb\n", "geo.mmdb": "no"}, []string{"check"}, "geo.mmdb"},
		{"mistake in an intelligence list", map[string]string{"tapwatch.yaml": "enrich:\n  intel:\n    lists: [{name: a, file: a.txt}]\n", "a.txt": "# fine\n10.0.0.0/8x\n"}, []string{"check"}, "a.txt:2"},
		{"a query is missing", nil, []string{"sql"}, "query"},
		{"a capture that is not there", nil, []string{"replay", "none.pcap"}, "none.pcap"},
		{"a simulation toward the world", nil, []string{"simulate", "--to", "192.0.2.1:2055"}, "loopback"},
		{"a capture without an end", nil, []string{"simulate", "--pcap", "x.pcap", "--duration", "0s"}, "--duration"},
		{"a query and a file", nil, []string{"sql", "-f", "x.sql", "SELECT 1"}, "not both"},
		{"a file that is not there", nil, []string{"sql", "-f", "none.sql"}, "none.sql"},
		{"a format in the place of the file", nil, []string{"sql", "-f", "csv"}, "--format csv"},
		{"a file written by ClickHouse", nil, []string{"sql", "SELECT 1 INTO OUTFILE 'x'"}, "shell"},
		{"a setting for the session", nil, []string{"sql", "SELECT 1; SET max_threads = 1"}, "SETTINGS"},
		{"a hunt that is none", nil, []string{"hunt", "run", "aset-peers"}, "did you mean asset-peers?"},
		{"a hunt without its parameter", nil, []string{"hunt", "run", "asset-peers"}, "for example: tapwatch hunt run asset-peers --param asset="},
		{"a hunt with a bad parameter", nil, []string{"hunt", "run", "asset-peers", "-p", "asset=x", "-p", "since=soon"}, `since: "soon" is neither`},
		{"a hunt with half a parameter", nil, []string{"hunt", "run", "asset-peers", "-p", "asset"}, "NAME=VALUE"},
		{"a format that is none", nil, []string{"sql", "--format", "xml", "SELECT 1"}, "--format"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := tapwatch(t, c.files, c.args...)
			if r.code != exitMisuse || !strings.Contains(r.err, c.want) {
				t.Errorf("exit code %d, standard error:\n%s\nwant exit code 2 and %q in it", r.code, r.err, c.want)
			}
			if r.out != "" {
				t.Errorf("standard output: %q", r.out)
			}
			if _, err := os.Stat("data"); err == nil {
				t.Error("something was started: there is a data directory")
			}
		})
	}
}

func TestPortInUse(t *testing.T) {
	udp, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer udp.Close()
	tcp, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer tcp.Close()
	for _, c := range []struct{ name, config, address, setting string }{
		{"collector", "collector: {listen: [%q]}\n", udp.LocalAddr().String(), "collector.listen"},
		{"console", "collector: {listen: [\"127.0.0.1:0\"]}\nconsole: {listen: %q}\n", tcp.Addr().String(), "console.listen"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := tapwatch(t, map[string]string{"tapwatch.yaml": fmt.Sprintf(c.config, c.address)}, "run")
			if r.code != exitFailed || !strings.Contains(r.err, c.address) || !strings.Contains(r.err, c.setting) {
				t.Errorf("exit code %d, standard error:\n%s\nwant %s and %s in it", r.code, r.err, c.address, c.setting)
			}
		})
	}
}

func TestEveryCommandHasHelpWithAnExample(t *testing.T) {
	parser, err := kong.New(&cli{})
	if err != nil {
		t.Fatal(err)
	}
	for _, command := range append(parser.Model.Children, parser.Model.Leaves(true)...) {
		words := strings.Fields(strings.TrimPrefix(command.Path(), "tapwatch"))
		t.Run(strings.Join(words, " "), func(t *testing.T) {
			r := tapwatch(t, nil, append(slices.DeleteFunc(words, func(w string) bool { return strings.ContainsAny(w, "<[") }), "--help")...)
			if r.code != exitGood || !strings.Contains(r.out, "Example") || !strings.Contains(r.out, "tapwatch ") {
				t.Errorf("exit code %d, standard output:\n%s", r.code, r.out)
			}
		})
	}
}

func TestNoCommandShowsHelp(t *testing.T) {
	if r := tapwatch(t, nil); r.code != exitGood || !strings.Contains(r.out, "demo") {
		t.Errorf("exit code %d, standard output:\n%s", r.code, r.out)
	}
}

func TestVersion(t *testing.T) {
	if r := tapwatch(t, nil, "version"); r.code != exitGood || !strings.HasPrefix(r.out, "tapwatch ") {
		t.Errorf("exit code %d, standard output: %q", r.code, r.out)
	}
}
