package hunts

import (
	"reflect"
	"slices"
	"strings"
	"testing"
)

const good = `-- title: Who asks
-- finds: Rows.
-- technique: T1078 Valid Accounts
-- technique: T1021.004 SSH
-- param: asset String; an asset: any
-- param: since Time = 24h; from when on
-- param: zone String = ; a zone

-- A comment with {braces:Here}.
SELECT {asset:String}, {since:DateTime64(3, 'UTC')}, {zone:String}
`

func TestParse(t *testing.T) {
	got, err := parse("who-asks", good)
	want := Hunt{
		Name: "who-asks", Title: "Who asks", Finds: "Rows.",
		Techniques: []Technique{{"T1078", "Valid Accounts"}, {"T1021.004", "SSH"}},
		Params: []Param{
			{Name: "asset", Type: String, Required: true, Comment: "an asset: any"},
			{Name: "since", Type: Time, Default: "24h", Comment: "from when on"},
			{Name: "zone", Type: String, Comment: "a zone"},
		},
		SQL: "-- A comment with {braces:Here}.\nSELECT {asset:String}, {since:DateTime64(3, 'UTC')}, {zone:String}",
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, error %v", got, err)
	}
}

func TestParseRefuses(t *testing.T) {
	for _, c := range []struct{ from, to, want string }{
		{"-- title: Who asks\n", "", "line 1: finds is out of order"},
		{"-- title: Who asks\n", "-- title: Who asks\n-- title: Who\n", "title: is given twice"},
		{"Who asks", " ", "title: is empty"},
		{"-- finds: Rows.\n", "", "finds is missing"},
		{"-- finds: Rows.\n", "-- finds: Rows.\n-- finds: Rows.\n", "finds is out of order or given twice"},
		{"-- technique: T1078 Valid Accounts\n-- technique: T1021.004 SSH\n", "", "a technique is missing"},
		{"T1078 Valid", "1078 Valid", "is not a technique's number and name"},
		{"-- technique: T1021.004", "-- tactic: T1021.004", `line 4: unknown key "tactic"; there are title, finds, technique, param`},
		{"-- param: zone String = ; a zone", "-- param: zone String = ; a zone\n-- technique: T1000 Late", "technique is out of order"},
		{"asset String;", "asset Text;", `asset has the unknown type "Text"`},
		{"asset String;", "Asset String;", `the name "Asset"`},
		{"; a zone", ";", "zone: what it means is missing"},
		{"= 24h", "= 24 hours", `since: the default "24 hours" is neither`},
		{"zone String = ;", "asset String = ;", "asset is declared twice"},
		{"SELECT {asset:String},", "SELECT", "the parameter asset is declared and not used"},
		{"{zone:String}", "{zone:String}, {port:UInt16}", "the parameter {port:UInt16}, which is not declared"},
		{"{since:DateTime64(3, 'UTC')}", "{since:DateTime64(3)}", "but a Time is {since:DateTime64(3, 'UTC')}"},
		{"{zone:String}\n", "{zone:String};\n", "ends with a semicolon"},
		{good[strings.Index(good, "\n-- A comment"):], "", "the query is missing"},
	} {
		if _, err := parse("test", strings.Replace(good, c.from, c.to, 1)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q instead of %q gives the error %v, want %s", c.to, c.from, err, c.want)
		}
	}
	if _, err := parse("Who", good); err == nil {
		t.Error("a name with a capital letter")
	}
}

func TestEmbeddedFiles(t *testing.T) {
	all, err := parseAll(files)
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 22 || !slices.IsSortedFunc(all, func(a, b Hunt) int { return strings.Compare(a.Name, b.Name) }) {
		t.Errorf("%d hunts, sorted or not", len(all))
	}
	for _, h := range all {
		if !strings.HasSuffix(h.Finds, ".") || strings.HasSuffix(h.Title, ".") {
			t.Errorf("%s: finds is a sentence, the title is none", h.Name)
		}
		if found, ok := Find(h.Name); !ok || !reflect.DeepEqual(found, h) {
			t.Errorf("%s is not found", h.Name)
		}
	}
	if _, ok := Find("nothing"); ok {
		t.Error("a hunt that does not exist is found")
	}
}
