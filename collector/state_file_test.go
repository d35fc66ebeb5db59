package collector

import (
	"bufio"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
)

// savedBy gives the state file of three exporters, 1 to 3.
func savedBy(t *testing.T) (file, content string) {
	t.Helper()
	r := newRun(t, fileOf(t), start, nil, nil)
	for n := 1; n <= 3; n++ {
		r.send(n, "ft\x01\x05")
	}
	r.save()
	data, err := os.ReadFile(r.file)
	if err != nil {
		t.Fatal(err)
	}
	return r.file, string(data)
}

// TestStateFile: a line an exporter, in order, that only the owner may read, and
// nothing else in the folder.
func TestStateFile(t *testing.T) {
	file, content := savedBy(t)
	want := `{"tapwatch_collector_state":1,"collector":"test","written_at":"2026-03-02T09:00:00Z"}
{"exporter":"10.0.0.1","last_received_at":"2026-03-02T09:00:00Z","protocols":["ipfix"],"sessions":{"fake":{"templates":{"1":5},"sampling":0}}}
{"exporter":"10.0.0.2","last_received_at":"2026-03-02T09:00:00Z","protocols":["ipfix"],"sessions":{"fake":{"templates":{"1":5},"sampling":0}}}
{"exporter":"10.0.0.3","last_received_at":"2026-03-02T09:00:00Z","protocols":["ipfix"],"sessions":{"fake":{"templates":{"1":5},"sampling":0}}}
{"exporters":3}
`
	if content != want {
		t.Errorf("wrote\n%s", content)
	}
	info, err := os.Stat(file)
	if err != nil || info.Mode() != 0o600 {
		t.Errorf("mode %s, %v", info.Mode(), err)
	}
	if all := namesIn(t, filepath.Dir(file)); len(all) != 1 {
		t.Errorf("left %v", all)
	}
}

func namesIn(t *testing.T, dir string) (all []string) {
	t.Helper()
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		all = append(all, f.Name())
	}
	return all
}

// TestDamagedState: whatever became of the file, the collector starts with what is
// left of it, says so, and keeps the file for whoever wants to repair it.
func TestDamagedState(t *testing.T) {
	_, good := savedBy(t)
	lines := strings.SplitAfter(good, "\n")
	line := func(n int, text string) string {
		changed := slices.Clone(lines)
		changed[n] = text
		return strings.Join(changed, "")
	}
	for what, c := range map[string]struct {
		content string
		knows   []int
		says    string
	}{
		"empty":               {"", nil, "the file is empty"},
		"another format":      {"\x7fELF\n\n", nil, "line 1: invalid character"},
		"other JSON":          {`{"pid":1}` + "\n", nil, "not the first line of a state file"},
		"a newer version":     {line(0, `{"tapwatch_collector_state":2}`+"\n"), nil, "a newer tapwatch wrote it: version 2, this one reads 1"},
		"a line cut short":    {line(2, lines[2][:40]+"\n"), []int{1, 3}, "line 3: unexpected end of JSON"},
		"a line of garbage":   {line(2, "\x00\xff\n"), []int{1, 3}, "line 3: invalid character"},
		"an empty line":       {line(2, "\n"), []int{1, 3}, "line 3: unexpected end"},
		"no address":          {line(2, `{"last_received_at":"2026-03-02T09:00:00Z"}`+"\n"), []int{1, 3}, "no exporter's address"},
		"a bad address":       {line(2, strings.Replace(lines[2], "10.0.0.2", "10.0.0.256", 1)), []int{1, 3}, "line 3: ParseAddr"},
		"a bad session":       {line(2, strings.Replace(lines[2], `{"1":5}`, `"x"`, 1)), []int{1, 3}, "fake of exporter 10.0.0.2: json: cannot unmarshal"},
		"some templates bad":  {line(2, strings.Replace(lines[2], `{"1":5}`, `{"1":5,"2":0}`, 1)), []int{1, 2, 3}, "fake of exporter 10.0.0.2: a template without fields"},
		"unknown protocol":    {line(2, strings.Replace(lines[2], `"fake"`, `"later"`, 1)), []int{1, 3}, "protocols that are not spoken here"},
		"an exporter twice":   {line(3, lines[1]), []int{1, 2}, "exporter 10.0.0.1 is there twice"},
		"a line missing":      {line(2, ""), []int{1, 3}, "its end is missing"},
		"no end":              {line(4, ""), []int{1, 2, 3}, "its end is missing"},
		"cut at a line":       {strings.Join(lines[:3], ""), []int{1, 2}, "its end is missing"},
		"cut in a line":       {good[:len(good)-60], []int{1, 2}, "line 4: unexpected end"},
		"lines after the end": {good + strings.Replace(lines[1], "10.0.0.1", "10.0.0.4", 1), []int{1, 2, 3, 4}, "its end is missing"},
		"zeros at the end":    {good[:len(good)-60] + strings.Repeat("\x00", 60), []int{1, 2}, "line 4: invalid character"},
	} {
		t.Run(what, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "state.json")
			if err := os.WriteFile(file, []byte(c.content), 0o600); err != nil {
				t.Fatal(err)
			}
			r := newRun(t, file, start, nil, nil)
			for n := 1; n <= 4; n++ {
				if r.knows(n) != slices.Contains(c.knows, n) {
					t.Errorf("exporter %d known: %t", n, r.knows(n))
				}
			}
			aside := file + ".damaged"
			if told := strings.ReplaceAll(r.log.String(), `\"`, `"`); !strings.Contains(told, "level=ERROR") || !strings.Contains(told, c.says) || !strings.Contains(told, "set_aside_as="+aside) {
				t.Errorf("log %s", told)
			}
			if kept, err := os.ReadFile(aside); err != nil || string(kept) != c.content {
				t.Errorf("set aside: %d bytes, %v", len(kept), err)
			}
			again := newRun(t, file, start, nil, nil)
			for n := 1; n <= 4; n++ {
				if again.knows(n) != slices.Contains(c.knows, n) {
					t.Errorf("after a restart: exporter %d known: %t", n, again.knows(n))
				}
			}
			if strings.Contains(again.log.String(), "level=ERROR") {
				t.Errorf("after a restart: log %s", &again.log)
			}
		})
	}
}

// TestLongStateLine: a line without end does not take memory without end.
func TestLongStateLine(t *testing.T) {
	_, good := savedBy(t)
	all, damaged, err := readState(io.MultiReader(strings.NewReader(good), io.LimitReader(zeros{}, 2*maxStateLine)))
	if len(all) != 3 || !errors.Is(damaged.first, bufio.ErrTooLong) || err != nil {
		t.Errorf("%d exporters, %v, %v", len(all), damaged, err)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// TestStateFileIsAFolder: what cannot be read nor written is told, each time, and left
// alone.
func TestStateFileIsAFolder(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "precious"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	r := newRun(t, dir, start, nil, nil)
	r.send(1, "ft\x01\x05")
	r.save()
	if got := strings.Count(r.log.String(), "level=ERROR"); got != 2 || testutil.ToFloat64(r.failures) != 1 || !r.changed() {
		t.Errorf("%d errors: %s", got, &r.log)
	}
	if all := namesIn(t, dir); !slices.Equal(all, []string{"precious"}) {
		t.Errorf("left %v", all)
	}
	if all := namesIn(t, filepath.Dir(dir)); len(all) != 1 {
		t.Errorf("left %v beside", all)
	}
}

// TestReplaceFile: at every moment the file holds the old content or the new.
func TestReplaceFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a", "b", "f")
	write := func(text string) func(io.Writer) error {
		return func(w io.Writer) error { _, err := io.WriteString(w, text); return err }
	}
	holds := func(want string) {
		t.Helper()
		if got, err := os.ReadFile(file); err != nil || string(got) != want {
			t.Errorf("holds %q, %v", got, err)
		}
	}
	if err := replaceFile(file, write("old")); err != nil {
		t.Fatal(err)
	}
	holds("old")
	full := errors.New("disk full")
	err := replaceFile(file, func(w io.Writer) error {
		holds("old")
		return errors.Join(write("new")(w), full)
	})
	if !errors.Is(err, full) {
		t.Errorf("error %v", err)
	}
	holds("old")
	if all := namesIn(t, filepath.Dir(file)); len(all) != 1 {
		t.Errorf("left %v", all)
	}
	// Two at a time: each is whole, the later one stays.
	err = replaceFile(file, func(w io.Writer) error {
		return errors.Join(write("the ")(w), replaceFile(file, write("other")), write("later")(w))
	})
	if err != nil {
		t.Error(err)
	}
	holds("the later")
}

// TestCrashWhileSaving: what a crash before the rename left does not hurt, and goes
// once nobody can be writing it any more.
func TestCrashWhileSaving(t *testing.T) {
	file, _ := savedBy(t)
	left := file + ".123.new"
	for _, path := range []string{left, filepath.Join(filepath.Dir(file), "other.json.123.new")} {
		if err := os.WriteFile(path, []byte(`{"tapwatch_collector_state":1`), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		after time.Duration
		there bool
	}{{time.Minute, true}, {2 * time.Hour, false}} {
		if err := os.Chtimes(left, start, start); err != nil {
			t.Fatal(err)
		}
		r := newRun(t, file, start.Add(c.after), nil, nil)
		if !r.knows(1) || !r.knows(3) {
			t.Error("not restored")
		}
		if _, err := os.Stat(left); (err == nil) != c.there || (err != nil && !errors.Is(err, fs.ErrNotExist)) {
			t.Errorf("after %s: %v", c.after, err)
		}
	}
	if all := namesIn(t, filepath.Dir(file)); !slices.Equal(all, []string{"other.json.123.new", "state.json"}) {
		t.Errorf("left %v", all)
	}
}
