package sqltext_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tapwatch/storage/sqltext"
)

func TestSplit(t *testing.T) {
	for text, want := range map[string][]string{
		"SELECT 1":                            {"SELECT 1"},
		"SELECT 1; SELECT 2 ;":                {"SELECT 1", "SELECT 2"},
		";; ;":                                nil,
		"SELECT ';', ';;' ; SELECT 2":         {"SELECT ';', ';;'", "SELECT 2"},
		`SELECT 'a\';b', "x;y", ` + "`p;q`;1": {`SELECT 'a\';b', "x;y", ` + "`p;q`", "1"},
		"SELECT 'it''s; so'; 2":               {"SELECT 'it''s; so'", "2"},
		"SELECT 1 -- no; end\n, 2; SELECT 3":  {"SELECT 1 -- no; end\n, 2", "SELECT 3"},
		"/* a; b */ SELECT 1 /* ; */; -- end": {"/* a; b */ SELECT 1 /* ; */"},
		"# first; line\nSELECT 1;\n#!x;y":     {"# first; line\nSELECT 1"},
		"SELECT $$a;b$$; SELECT $x$;$$;$x$":   {"SELECT $$a;b$$", "SELECT $x$;$$;$x$"},
		"SELECT 'open; SELECT 2":              {"SELECT 'open; SELECT 2"},
		"SELECT 'ü;' ; SELECT 5 - -3":         {"SELECT 'ü;'", "SELECT 5 - -3"},
		" -- only a comment":                  nil,
	} {
		var got []string
		for _, s := range sqltext.Split(text) {
			got = append(got, s.Text)
			if text[s.Start:s.Start+len(s.Text)] != s.Text {
				t.Errorf("%q: %q does not begin at %d", text, s.Text, s.Start)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q: %s", text, diff)
		}
	}
}

func TestComplete(t *testing.T) {
	for text, want := range map[string]bool{
		"": true, "SELECT 1": false, "SELECT 1;": true, "SELECT 1; -- so": true, "SELECT 1; SELECT": false, "SELECT ';": false,
		"SELECT '\n;'": false, "-- a;": true, "/* SELECT 1;": false, "SELECT 1 -- ;": false,
	} {
		if got := sqltext.Complete(text); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}

func TestOneLine(t *testing.T) {
	got := sqltext.OneLine("SELECT a, -- the first\n  'x\ny' /* and */ AS b\nFROM t;\n")
	if want := `SELECT a, 'x\ny' AS b FROM t;`; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestClauses(t *testing.T) {
	for query, want := range map[string]sqltext.Clauses{
		"SELECT 1 FORMAT CSV": {Verb: "SELECT", Format: "CSV"},
		"-- hi\nselect 1 format JSONEachRow settings max_threads=1": {Verb: "SELECT", Format: "JSONEachRow"},
		"SELECT 1 SETTINGS max_threads = 1 FORMAT Vertical":         {Verb: "SELECT", Format: "Vertical"},
		"(SELECT 1) FORMAT CSV":                                     {Verb: "SELECT", Format: "CSV"},
		"SELECT a AS format FROM t":                                 {Verb: "SELECT"},
		"SELECT 'FORMAT CSV'":                                       {Verb: "SELECT"},
		"SELECT format FROM t":                                      {Verb: "SELECT"},
		"SELECT format('{}', a) FROM t":                             {Verb: "SELECT"},
		"SELECT t.format x":                                         {Verb: "SELECT"},
		"SELECT * FROM (SELECT 1 FORMAT CSV)":                       {Verb: "SELECT"},
		"SELECT 1 INTO OUTFILE 'a.csv' FORMAT CSV":                  {Verb: "SELECT", Format: "CSV", Outfile: true},
		"SELECT 1 FORMAT CSV INTO OUTFILE 'a.csv'":                  {Verb: "SELECT", Format: "CSV", Outfile: true},
		"INSERT INTO t FORMAT CSV":                                  {Verb: "INSERT"},
		"FORMAT":                                                    {Verb: "FORMAT"},
		"":                                                          {},
	} {
		if diff := cmp.Diff(want, sqltext.ClausesOf(query)); diff != "" {
			t.Errorf("%q: %s", query, diff)
		}
	}
}

func TestPlace(t *testing.T) {
	const text = "SELECT a,\n  'ü', bad\nFROM t"
	p := sqltext.PlaceOf(text, strings.Index(text, "bad"))
	if p.Line != 2 || p.Column != 8 || p.Source != "  'ü', bad" {
		t.Errorf("%+v", p)
	}
	if _, caret := p.Caret(); caret != "       ^" {
		t.Errorf("%q", caret)
	}
	long := strings.Repeat("a, ", 400) + "bad" + strings.Repeat(", b", 400)
	line, caret := sqltext.PlaceOf(long, strings.Index(long, "bad")).Caret()
	if len(line) > 100 || !strings.HasPrefix(line[len(caret)-1:], "bad") {
		t.Errorf("%s\n%s", line, caret)
	}
	if p := sqltext.PlaceOf(text, 1000); p.Line != 3 || p.Column != 7 {
		t.Errorf("%+v", p)
	}
}

func TestFindName(t *testing.T) {
	const query = "SELECT 'src', f.src -- src\n FROM flows AS f WHERE `src` = 1"
	for name, want := range map[string]int{"f.src": 14, "src": 16, "flows": 33, "sr": -1, "g.src": -1} {
		if got, ok := sqltext.FindName(query, name); ok != (want >= 0) || ok && got != want {
			t.Errorf("%s: %d, %v", name, got, ok)
		}
	}
}

func TestFill(t *testing.T) {
	got := sqltext.Fill("SELECT '{a:String}', {a:String}, {b: IPv6}, {c:DateTime64(3, 'UTC')}, {d:UInt8}, map{1:2} -- {a:String}",
		map[string]string{"a": `it's \n`, "b": "::1", "c": "2026-03-01 00:00:00.000"})
	want := `SELECT '{a:String}', 'it\'s \\n', '::1'::IPv6, '2026-03-01 00:00:00.000'::DateTime64(3, 'UTC'), {d:UInt8}, map{1:2} -- {a:String}`
	if got != want {
		t.Errorf("\n%s, want\n%s", got, want)
	}
}

func TestMisspelledKeyword(t *testing.T) {
	for query, want := range map[string]string{
		"SELEC 1": "SELECT", "SELECT * FROM t LIMT 5": "LIMIT", "SELECT 1 FROM t GRUOP BY a": "GROUP", "SELECT xyzzy, 1": "",
	} {
		got := ""
		for offset := range query { // ClickHouse may point at the word or at the next
			got += sqltext.MisspelledKeyword(query, offset)
		}
		if want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("%s: %q", query, got)
		}
	}
}

// FuzzTokens: nothing of a query is lost, and everything ends.
func FuzzTokens(f *testing.F) {
	for _, seed := range []string{"SELECT 'a''b\\", "`x", "/*", "$a$b$a$", "\xff;--\n#!", `"a\"b"`, "{a:String}", "SELECT 1 FORMAT", "-", "$"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, query string) {
		var all strings.Builder
		for _, token := range sqltext.Tokens(query) {
			if token.Text == "" || token.Start != all.Len() {
				t.Fatalf("%q: %+v at %d", query, token, all.Len())
			}
			all.WriteString(token.Text)
		}
		if all.String() != query {
			t.Errorf("%q became %q", query, all.String())
		}
		for _, s := range sqltext.Split(query) {
			if query[s.Start:s.Start+len(s.Text)] != s.Text {
				t.Errorf("%q: %+v", query, s)
			}
			sqltext.ClausesOf(s.Text)
		}
		sqltext.Fill(query, map[string]string{"a": "b"})
		sqltext.Complete(query)
		sqltext.OneLine(query)
		sqltext.PlaceOf(query, len(query)/2).Caret()
		sqltext.FindName(query, "a.b")
		sqltext.MisspelledKeyword(query, len(query)/2)
	})
}
