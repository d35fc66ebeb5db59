package spool

import (
	"errors"
	"strings"
	"testing"

	"tapwatch/internal/config"
)

func TestChoices(t *testing.T) {
	for _, f := range []Fsync{FsyncSegment, FsyncAlways, FsyncNever} {
		text, _ := f.MarshalText()
		var got Fsync
		if err := got.UnmarshalText(text); err != nil || got != f {
			t.Errorf("%s: %s, %v", text, got, err)
		}
	}
	for _, c := range []Compression{LZ4, ZSTD, None} {
		text, _ := c.MarshalText()
		var got Compression
		if err := got.UnmarshalText(text); err != nil || got != c {
			t.Errorf("%s: %s, %v", text, got, err)
		}
	}
	if got := Fsync(9).String() + " " + Compression(9).String(); got != "fsync(9) compression(9)" {
		t.Error(got)
	}
}

func TestConfig(t *testing.T) {
	for _, c := range []struct {
		yaml, want string // want "" is no error
	}{
		{"dir: /x\nmax_bytes: 5\nfsync: always\ncompression: zstd", ""},
		{"dir: /x", ""},
		{"max_bytes: 1", "dir: is empty"},
		{"dir: /x\nmax_bytes: -1", "max_bytes: -1 is below 0"},
		{"dir: /x\nfsync: sometimes", `unknown fsync policy "sometimes": use segment, always, never`},
		{"dir: /x\ncompression: gzip", `unknown compression "gzip": use lz4, zstd, none`},
	} {
		var cfg Config
		err := config.Decode("test.yaml", []byte(c.yaml), &cfg)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%q: %v, want %q", c.yaml, err, c.want)
		}
	}
	bad := Config{Dir: "x", Fsync: 9, Compression: 9}
	if _, err := Open(bad, quiet); err == nil || !strings.Contains(err.Error(), "fsync(9)") || !strings.Contains(err.Error(), "compression(9)") {
		t.Errorf("Open = %v", err)
	}
	if key := new(config.KeyError); !errors.As(bad.Validate(), &key) || key.Key != "fsync" {
		t.Errorf("Validate = %v", bad.Validate())
	}
}
