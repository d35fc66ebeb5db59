package spool

import (
	"fmt"
	"slices"
	"strings"
)

// Fsync says when written frames are forced to the disk. It matters for a loss of
// power alone: the end of the process, by kill -9 too, loses nothing that was
// written.
type Fsync uint8

// The policies. FsyncSegment is the zero value.
const (
	FsyncSegment Fsync = iota // when a segment is sealed: power loss takes open segments
	FsyncAlways               // at every append, before it returns
	FsyncNever                // the kernel writes when it likes, mostly within 30 seconds
)

// Compression is how payloads are compressed.
type Compression uint8

// The methods. LZ4 is the zero value. Frames of all of them can always be read.
const (
	LZ4 Compression = iota
	ZSTD
	None
)

var (
	fsyncNames       = []string{FsyncSegment: "segment", FsyncAlways: "always", FsyncNever: "never"}
	compressionNames = []string{LZ4: "lz4", ZSTD: "zstd", None: "none"}
)

// String gives the name, or "fsync(N)" for a value that is none.
func (f Fsync) String() string { return nameOf("fsync", fsyncNames, uint8(f)) }

// MarshalText writes the name.
func (f Fsync) MarshalText() ([]byte, error) { return []byte(f.String()), nil }

// UnmarshalText reads a name. The error lists the choices.
func (f *Fsync) UnmarshalText(text []byte) error {
	i, err := choose("fsync policy", fsyncNames, string(text))
	*f = Fsync(i)
	return err
}

// String gives the name, or "compression(N)" for a value that is none.
func (c Compression) String() string { return nameOf("compression", compressionNames, uint8(c)) }

// MarshalText writes the name.
func (c Compression) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText reads a name. The error lists the choices.
func (c *Compression) UnmarshalText(text []byte) error {
	i, err := choose("compression", compressionNames, string(text))
	*c = Compression(i)
	return err
}

func nameOf(kind string, names []string, i uint8) string {
	if int(i) < len(names) {
		return names[i]
	}
	return fmt.Sprintf("%s(%d)", kind, i)
}

func choose(what string, names []string, name string) (uint8, error) {
	if i := slices.Index(names, name); i >= 0 {
		return uint8(i), nil
	}
	return 0, fmt.Errorf("unknown %s %q: use %s", what, name, strings.Join(names, ", "))
}
