package main

import (
	"strings"
	"testing"
)

func TestCandidates(t *testing.T) {
	w := words{
		tables: []string{"flows", "flows_text", "findings"}, columns: []string{"bytes", "from_addr", "flows"}, functions: []string{"bitAnd", "count"},
		keywords: []string{"FROM", "FULL"}, hunts: []string{"asset-peers", "tunnels"},
	}
	for before, want := range map[string]string{
		"SELECT b": "bytes bitAnd(", "SELECT * fr": "from_addr from", "SELECT * FR": "from_addr FROM", "SELECT * FROM f": "flows flows_text findings",
		"SELECT * FROM ": "flows flows_text findings", "SELECT ": "", "SELECT sum(BY": "bytes", `\h`: `\hunt \hunts`, `\d fi`: "findings",
		`\hunt as`: "asset-peers", `\hunt asset-peers as`: "", "SELECT zzz": "", "": "",
	} {
		found, _ := w.candidates(before)
		if got := strings.Join(found, " "); got != want {
			t.Errorf("%q: %s, want %s", before, got, want)
		}
	}
}

func TestCommon(t *testing.T) {
	for want, all := range map[string][]string{"flows": {"flows", "flows_text"}, "count": {"count(", "countIf("}, "": {"a", "b"}, "x": {"x"}} {
		if got := common(all); got != want {
			t.Errorf("%v: %q", all, got)
		}
	}
}
