package embedded

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// insertLogs are the folders in which tables keep their log of inserts, by which
// ClickHouse knows a repeated insert again.
const insertLogs = dataFolder + "/store/*/*/deduplication_logs"

// Operations of that log (src/Storages/MergeTree/MergeTreeDeduplicationLog.h). A line is
// the operation, the part and the insert's identity, with tabs between.
const (
	insertAdded   = "1"
	insertDropped = "2"
)

// mendInsertLogs takes out of the logs of inserts what is not in the tables. ClickHouse
// logs an insert before it moves the part into the table. An engine that is killed in
// between takes the repeated insert for one that it has, and the records would be lost.
// A line that was cut short at the end of a log goes too. No engine may run. It tells how
// many inserts it took out.
func mendInsertLogs(dataDir string) (mended int, err error) {
	folders, err := filepath.Glob(filepath.Join(dataDir, insertLogs))
	if err != nil {
		return 0, err
	}
	for _, folder := range folders {
		n, err := mendInsertLog(folder)
		mended += n
		if err != nil {
			return mended, fmt.Errorf("mend the log of inserts in %s: %w", folder, err)
		}
	}
	return mended, nil
}

// mendInsertLog does so for one table.
func mendInsertLog(folder string) (mended int, err error) {
	logged, newest, err := readInsertLog(folder)
	if err != nil || newest == "" {
		return 0, err
	}
	if err := appendLines(newest, ""); err != nil { // whatever the parts are
		return 0, err
	}
	parts, err := tableParts(filepath.Dir(folder))
	if err != nil {
		return 0, err
	}
	var lines strings.Builder
	for identity, name := range logged {
		p, ok := parsePart(name)
		if !ok || slices.ContainsFunc(parts, p.within) {
			continue
		}
		fmt.Fprintf(&lines, "%s\t%s\t%s\n", insertDropped, name, identity)
		mended++
	}
	if err := appendLines(newest, lines.String()); err != nil {
		return 0, err
	}
	return mended, nil
}

// readInsertLog gives the part of each insert that is in the log, and the file that is
// written now; empty none. A line that was cut short, as by a full disk, had no part.
func readInsertLog(folder string) (parts map[string]string, newest string, err error) {
	files, err := filepath.Glob(filepath.Join(folder, "deduplication_log_*.txt"))
	if err != nil {
		return nil, "", err
	}
	slices.SortFunc(files, func(a, b string) int { return logNumber(a) - logNumber(b) })
	parts = map[string]string{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, "", err
		}
		newest = file
		for line := range strings.Lines(string(text)) {
			fields := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
			switch {
			case len(fields) != 3 || !strings.HasSuffix(line, "\n"):
			case fields[0] == insertAdded:
				parts[fields[2]] = fields[1]
			case fields[0] == insertDropped:
				delete(parts, fields[2])
			}
		}
	}
	return parts, newest, nil
}

// appendLines adds whole lines to a log, after its last whole one. ClickHouse would go on
// in the middle of a line that was cut short, and read nothing from there on at its next
// start: it would forget inserts that it has.
func appendLines(file, lines string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	end := bytes.LastIndexByte(text, '\n') + 1
	if end == len(text) && lines == "" {
		return nil
	}
	f, err := os.OpenFile(file, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	return errors.Join(replaceTail(f, int64(end), lines), f.Close())
}

// tailFile is what replaceTail needs of an *os.File.
type tailFile interface {
	io.WriterAt
	Truncate(size int64) error
	Sync() error
}

// replaceTail cuts a file off and appends to it, all or nothing.
func replaceTail(f tailFile, end int64, lines string) error {
	if err := f.Truncate(end); err != nil {
		return err
	}
	if _, err := f.WriteAt([]byte(lines), end); err != nil {
		return errors.Join(err, f.Truncate(end), f.Sync()) // a full disk takes a part perhaps
	}
	return f.Sync()
}

// logNumber is the number in the name of a log.
func logNumber(file string) int {
	name := strings.TrimSuffix(filepath.Base(file), ".txt")
	n, _ := strconv.Atoi(strings.TrimPrefix(name, "deduplication_log_")) // others are not written there
	return n
}

// part is what the name of a part says: which inserts of a partition it holds.
type part struct {
	partition  string
	first, end int
}

// parsePart reads partition_first_last_level, which a mutation follows perhaps. Folders
// of other names hold parts that are not in the table, or none.
func parsePart(name string) (p part, ok bool) {
	fields := strings.Split(name, "_")
	if len(fields) != 4 && len(fields) != 5 {
		return p, false
	}
	first, err := strconv.Atoi(fields[1])
	end, err2 := strconv.Atoi(fields[2])
	_, err3 := strconv.Atoi(fields[3])
	return part{fields[0], first, end}, err == nil && err2 == nil && err3 == nil
}

// within tells whether the other part holds everything of this one: it is the same, or
// one into which it was merged.
func (p part) within(other part) bool {
	return p.partition == other.partition && other.first <= p.first && p.end <= other.end
}

// tableParts are the parts in the folder of a table.
func tableParts(folder string) (parts []part, err error) {
	entries, err := os.ReadDir(folder)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for _, e := range entries {
		if p, ok := parsePart(e.Name()); ok && e.IsDir() {
			parts = append(parts, p)
		}
	}
	return parts, nil
}
