package main

import (
	"bytes"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/oschwald/maxminddb-golang/v2"
)

// folder writes files with the given names and texts.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

const (
	v4 = "1.0.0.0,1.0.0.255,64500,\"Example, Inc.\"\n1.0.4.0,1.0.6.255,64501,Other\n10.0.0.0,10.0.0.255,64502,Private\n1.0.9.0,1.0.9.255,64500,\"Example, Inc.\"\n"
	v6 = "2001:200::,2001:200:1b9:ffff:ffff:ffff:ffff:ffff,2500,WIDE Project\n2002:100::,2002:100:ffff:ffff:ffff:ffff:ffff:ffff,64500,Tunnelled\n"
)

func TestBuild(t *testing.T) {
	dir := folder(t, map[string]string{"4.csv": v4, "6.csv": v6, "package.json": `{"version": "2.3.2026061719"}`})
	at := func(name string) string { return filepath.Join(dir, name) }
	var log bytes.Buffer
	if err := run([]string{"-o", at("a.mmdb"), at("4.csv"), at("6.csv")}, &log); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(log.String(), "4 ranges, 2 skipped") {
		t.Errorf("log: %s", &log)
	}
	r, err := maxminddb.Open(at("a.mmdb"))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if err := r.Verify(); err != nil {
		t.Error(err)
	}
	if built := r.Metadata.BuildTime().UTC(); !built.Equal(time.Date(2026, 6, 17, 19, 0, 0, 0, time.UTC)) {
		t.Errorf("built %v", built)
	}
	type system struct {
		Number uint32 `maxminddb:"autonomous_system_number"`
		Org    string `maxminddb:"autonomous_system_organization"`
	}
	for addr, want := range map[string]system{
		"1.0.0.0": {64500, "Example, Inc."}, "1.0.0.255": {64500, "Example, Inc."}, "1.0.1.0": {},
		"1.0.4.0": {64501, "Other"}, "1.0.6.255": {64501, "Other"}, "1.0.7.0": {}, "1.0.9.1": {64500, "Example, Inc."},
		"10.0.0.1": {}, "2001:200:1b9::1": {2500, "WIDE Project"}, "2001:200:1ba::": {},
	} {
		var got system
		if err := r.Lookup(netip.MustParseAddr(addr)).Decode(&got); err != nil || got != want {
			t.Errorf("%s: %+v, %v, want %+v", addr, got, err, want)
		}
	}
}

func TestSameInputSameBytes(t *testing.T) {
	dir := folder(t, map[string]string{"4.csv": v4, "6.csv": v6})
	var outputs [2][]byte
	for i := range outputs {
		out := filepath.Join(dir, "out.mmdb")
		if err := run([]string{"-o", out, "-date", "2026-06-17", filepath.Join(dir, "4.csv"), filepath.Join(dir, "6.csv")}, io.Discard); err != nil {
			t.Fatal(err)
		}
		var err error
		if outputs[i], err = os.ReadFile(out); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(outputs[0], outputs[1]) {
		t.Error("two runs differ")
	}
}

func TestMistakes(t *testing.T) {
	dir := folder(t, map[string]string{
		"good.csv": v4, "fields.csv": v4 + "1.0.0.0,1.0.0.255,64500\n", "range.csv": v4 + "1.0.0.0,x,64500,Org\n", "number.csv": "1.0.0.0,1.0.0.255,AS64500,Org\n",
	})
	out := filepath.Join(dir, "out.mmdb")
	for _, c := range []struct {
		args []string
		want string
	}{
		{nil, "usage: asnmmdb -o OUT.mmdb"},
		{[]string{"-o", out}, "usage: asnmmdb -o OUT.mmdb"},
		{[]string{"-o", out, "-date", "17.6.2026", "good.csv"}, `-date "17.6.2026" is not a date`},
		{[]string{"-o", out, "good.csv"}, "give -date"},
		{[]string{"-o", out, "-date", "2026-06-17", "none.csv"}, "no such file"},
		{[]string{"-o", out, "-date", "2026-06-17", "fields.csv"}, "fields.csv: record on line 5: wrong number of fields"},
		{[]string{"-o", out, "-date", "2026-06-17", "range.csv"}, `range.csv:5: "1.0.0.0" to "x" is no range of addresses`},
		{[]string{"-o", out, "-date", "2026-06-17", "number.csv"}, `number.csv:1: "AS64500" is no number of an autonomous system`},
	} {
		for i, a := range c.args {
			if strings.HasSuffix(a, ".csv") {
				c.args[i] = filepath.Join(dir, a)
			}
		}
		err := run(c.args, io.Discard)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: %v, want %s", c.args, err, c.want)
		}
		if _, err := os.Stat(out); err == nil {
			t.Errorf("%v wrote a file", c.args)
		}
	}
}
