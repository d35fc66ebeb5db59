package embedded

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// table makes the folder of a table with parts and a log of inserts, and gives the log.
func table(t *testing.T, dataDir, name string, parts []string, logs map[string]string) (log string) {
	t.Helper()
	folder := filepath.Join(dataDir, dataFolder, "store", name[:3], name)
	log = filepath.Join(folder, "deduplication_logs")
	for _, dir := range append(parts, "detached", "tmp_insert_20261122_9_9_0", "deduplication_logs") {
		if err := os.MkdirAll(filepath.Join(folder, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for file, text := range logs {
		if err := os.WriteFile(filepath.Join(log, file), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return log
}

// What is in the log of inserts and not in the table is taken out; all else stays.
func TestMendInsertLogs(t *testing.T) {
	const (
		merged    = "1\t20261122_1_1_0\t20261122_a\n" // into 20261122_1_3_1
		mutated   = "1\t20261121_2_2_0\t20261121_b\n"
		gone      = "1\t20261122_4_4_0\t20261122_c\n2\t20261122_4_4_0\t20261122_c\n"
		again     = "1\t20261122_5_5_0\t20261122_c\n" // inserted anew
		lost      = "1\t20261122_6_6_0\t20261122_d\n"
		elsewhere = "1\t20261120_1_1_0\t20261120_e\n" // the number is there, of another partition
		cut       = "1\t20261122_7"
	)
	dir := t.TempDir()
	parts := []string{"20261122_1_3_1", "20261121_2_2_0_8", "20261122_5_5_0"}
	mended := table(t, dir, "abc-1", parts, map[string]string{
		"deduplication_log_9.txt":  merged + mutated + gone,
		"deduplication_log_10.txt": again + elsewhere + lost + cut,
	})
	whole := table(t, dir, "def-2", parts, map[string]string{"deduplication_log_1.txt": merged + mutated + gone + again})
	table(t, dir, "123-3", nil, map[string]string{"deduplication_log_1.txt": ""})
	table(t, dir, "456-4", nil, nil)
	for try, want := range []int{2, 0} { // what was mended once needs it no more
		if n, err := mendInsertLogs(dir); err != nil || n != want {
			t.Errorf("try %d: %d mended (error %v), want %d", try+1, n, err, want)
		}
	}
	left, _, err := readInsertLog(mended)
	if err != nil || len(left) != 3 || left["20261122_a"] == "" || left["20261121_b"] == "" || left["20261122_c"] == "" {
		t.Errorf("left in the log: %v (error %v)", left, err)
	}
	text, err := os.ReadFile(filepath.Join(whole, "deduplication_log_1.txt"))
	if err != nil || string(text) != merged+mutated+gone+again {
		t.Errorf("a log with nothing to mend became %q (error %v)", text, err)
	}
}

// The engine goes on where a log ends: that must be after a whole line.
func TestMendInsertLogsThatWereCutShort(t *testing.T) {
	const (
		stored = "1\t20261122_1_1_0\t20261122_a\n"
		lost   = "1\t20261122_2_2_0\t20261122_b\n"
		out    = "2\t20261122_2_2_0\t20261122_b\n"
	)
	for name, c := range map[string]struct {
		log, want string
		mended    int
	}{
		"whole":                 {stored, stored, 0},
		"a part's name":         {stored + "1\t20261122_7", stored, 0},
		"all but the end":       {stored + "1\t20261122_3_3_0\t20261122_c", stored, 0},
		"one byte":              {stored + "1", stored, 0},
		"nothing else":          {"1\t2026", "", 0},
		"empty":                 {"", "", 0},
		"blocks never written":  {stored + "\x00\x00\x00\x00", stored, 0},
		"and an insert is lost": {stored + lost + "1\t20261122_7", stored + lost + out, 1},
		"in what was dropped":   {stored + lost + "2\t20261122_2", stored + lost + out, 1},
		"longer than what is added": {
			stored + lost + "1\t20261122_3_3_0\t20261122_a-much-longer-identity-of-which-nothing-may-stay", stored + lost + out, 1,
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			// An older log is not written any more.
			log := table(t, dir, "abc-1", []string{"20261122_1_1_0"}, map[string]string{
				"deduplication_log_9.txt": "1\t2026", "deduplication_log_10.txt": c.log,
			})
			for try, mended := range []int{c.mended, 0} {
				if n, err := mendInsertLogs(dir); err != nil || n != mended {
					t.Errorf("try %d: %d mended (error %v), want %d", try+1, n, err, mended)
				}
				for file, want := range map[string]string{"deduplication_log_10.txt": c.want, "deduplication_log_9.txt": "1\t2026"} {
					text, err := os.ReadFile(filepath.Join(log, file))
					if err != nil || string(text) != want {
						t.Errorf("try %d: %s is %q (error %v), want %q", try+1, file, text, err, want)
					}
				}
			}
		})
	}
}

// fullFile is a file on a disk that has room for so many more bytes.
type fullFile struct {
	text         string
	room, synced int
}

func (f *fullFile) Truncate(size int64) error {
	f.text = f.text[:size]
	return nil
}

func (f *fullFile) WriteAt(p []byte, at int64) (int, error) {
	if int(at) != len(f.text) {
		return 0, fmt.Errorf("written at %d of %d bytes", at, len(f.text))
	}
	n := min(f.room, len(p))
	f.text += string(p[:n])
	if n < len(p) {
		return n, syscall.ENOSPC
	}
	return n, nil
}

func (f *fullFile) Sync() error {
	f.synced = len(f.text)
	return nil
}

// What a full disk does not take leaves no half a line, and what stays is on disk.
func TestInsertLogOnAFullDisk(t *testing.T) {
	for room, want := range map[int]string{0: "1\ta\tb\n", 3: "1\ta\tb\n", 6: "1\ta\tb\n2\ta\tb\n"} {
		f := &fullFile{text: "1\ta\tb\n1\ttorn", room: room}
		err := replaceTail(f, 6, "2\ta\tb\n")
		if full := errors.Is(err, syscall.ENOSPC); full != (room < 6) {
			t.Errorf("room for %d bytes: error %v", room, err)
		}
		if f.text != want || f.synced != len(want) {
			t.Errorf("room for %d bytes: %q, of which %d bytes are on disk, want all of %q", room, f.text, f.synced, want)
		}
	}
}

func TestMendWithoutTables(t *testing.T) {
	if n, err := mendInsertLogs(t.TempDir()); n != 0 || err != nil {
		t.Errorf("%d mended, error %v", n, err)
	}
}
