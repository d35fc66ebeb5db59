package collector

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// The state file is JSON, to be read by people too: a line that says what it is, a
// line for each exporter, ordered by address, and a line that says that it is whole.

// stateVersion is of the format. A file of a later one is not read: it may mean
// something else by the same words.
const stateVersion = 1

// maxStateLine bounds a line. The templates of a real router take some kilobytes.
const maxStateLine = 64 << 20

// stateHeader is the first line.
type stateHeader struct {
	Version   int       `json:"tapwatch_collector_state"`
	Collector string    `json:"collector"`
	WrittenAt time.Time `json:"written_at"`
}

// stateLine is any other: an exporter's, or the last.
type stateLine struct {
	exporterState
	// Exporters is how many lines of exporters there are; it makes the last line.
	Exporters *int `json:"exporters"`
}

// damage is what of the state is lost, be it read or written. The zero damage is none.
type damage struct {
	exporters int   // of which something is lost
	first     error // nil: none; the others are like it
}

func (d *damage) add(o damage) {
	d.exporters += o.exporters
	if d.first == nil {
		d.first = o.first
	}
}

// stateWriter writes a state file.
type stateWriter struct {
	w         *bufio.Writer
	exporters int
	// lost are the exporters that cannot be written.
	lost damage
}

func newStateWriter(w io.Writer, h stateHeader) *stateWriter {
	s := &stateWriter{w: bufio.NewWriterSize(w, 1<<16)}
	line, _ := json.Marshal(h) // a number, a string and a time
	s.line(line)
	return s
}

// add writes an exporter's line.
func (s *stateWriter) add(e *exporterState) {
	line, err := json.Marshal(e)
	if err == nil && len(line) >= maxStateLine {
		err = fmt.Errorf("%d bytes are more than a line may have", len(line))
	}
	if err != nil {
		s.lost.add(damage{1, fmt.Errorf("exporter %s: %w", e.Exporter, err)})
		return
	}
	s.exporters++
	s.line(line)
}

// line writes a line. That it failed is seen at the end.
func (s *stateWriter) line(line []byte) {
	_, _ = s.w.Write(line)
	_ = s.w.WriteByte('\n')
}

// end writes the last line. The error is that of any line before, too.
func (s *stateWriter) end() error {
	s.line(fmt.Appendf(nil, `{"exporters":%d}`, s.exporters))
	return s.w.Flush()
}

// readState reads a state file: what of it is whole, and what is damaged. The error
// says that nothing of it can be used.
func readState(r io.Reader) (all []exporterState, damaged damage, err error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 1<<16), maxStateLine)
	if err := readHeader(lines); err != nil {
		return nil, damaged, err
	}
	whole, read := false, 0
	for n := 2; lines.Scan(); n++ {
		var line stateLine
		err := json.Unmarshal(lines.Bytes(), &line)
		switch {
		case err != nil:
			damaged.add(damage{1, fmt.Errorf("line %d: %w", n, err)})
			read++
		case line.Exporters != nil:
			whole = *line.Exporters == read
		default:
			all = append(all, line.exporterState)
			read++
			whole = false
		}
	}
	if err := lines.Err(); err != nil {
		damaged.add(damage{0, err})
	} else if !whole {
		damaged.add(damage{0, errors.New("its end is missing")})
	}
	return all, damaged, nil
}

func readHeader(lines *bufio.Scanner) error {
	if !lines.Scan() {
		if err := lines.Err(); err != nil {
			return err
		}
		return errors.New("the file is empty")
	}
	var h stateHeader
	if err := json.Unmarshal(lines.Bytes(), &h); err != nil {
		return fmt.Errorf("line 1: %w", err)
	}
	switch {
	case h.Version < 1:
		return errors.New("line 1: not the first line of a state file")
	case h.Version > stateVersion:
		return fmt.Errorf("a newer tapwatch wrote it: version %d, this one reads %d", h.Version, stateVersion)
	}
	return nil
}

// temporary is what the names of state files that are being written look like. Each
// write has its own: two collectors that were given one file do not get into each
// other's way, the later one wins.
const temporary = ".*.new"

// replaceFile makes path hold what write writes, all at once: whoever reads it, now or
// after a crash or a power cut at any moment, finds the old content or the new. Only
// the user that tapwatch runs as may read it.
func replaceFile(path string, write func(io.Writer) error) (err error) {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, filepath.Base(path)+temporary) // mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}()
	if err := errors.Join(write(f), f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	return syncDir(dir)
}

// syncDir makes a rename in dir last.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// leftoverAge is when a state file that is still being written was left behind by a
// crash, and is not another collector's.
const leftoverAge = time.Hour

// removeLeftovers removes what writes that a crash cut short have left.
func removeLeftovers(path string, now time.Time) error {
	files, err := os.ReadDir(filepath.Dir(path))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	var all []error
	for _, f := range files {
		if ours, err := filepath.Match(temporary, strings.TrimPrefix(f.Name(), filepath.Base(path))); err != nil || !ours {
			continue
		}
		info, err := f.Info()
		if err != nil || now.Sub(info.ModTime()) < leftoverAge {
			continue
		}
		all = append(all, os.Remove(filepath.Join(filepath.Dir(path), f.Name())))
	}
	return errors.Join(all...)
}
