package main

import (
	"bytes"
	"strings"
	"testing"

	"tapwatch/hunts"
)

// someHunts are of every kind of parameter.
var someHunts = []hunts.Hunt{{
	Name: "who-called", Title: "Who called", Finds: "Callers of an asset.", Techniques: []hunts.Technique{{ID: "T1078", Name: "Valid Accounts"}},
	Params: []hunts.Param{
		{Name: "asset", Type: hunts.String, Required: true, Comment: "which asset"},
		{Name: "port", Type: hunts.Port, Default: "22", Comment: "at which port"},
		{Name: "since", Type: hunts.Time, Default: "24h", Comment: "from when on"},
	},
	SQL: "SELECT {asset:String} AS asset, {port:UInt16} AS port, {since:DateTime64(3)} < now64() AS ago\n",
}, {Name: "plain", Title: "Without parameters", Finds: "One row.", SQL: "SELECT 1 AS a"}}

func TestHuntShow(t *testing.T) {
	var out bytes.Buffer
	if err := (&huntShowCommand{"who-called"}).Run(&environment{stdio: stdio{out: &out}, hunts: someHunts}); err != nil {
		t.Fatal(err)
	}
	golden(t, "hunt-show.txt", out.Bytes())
}

func TestHuntList(t *testing.T) {
	var out bytes.Buffer
	if err := (&huntListCommand{rowFormat{"csv"}}).Run(&environment{stdio: stdio{out: &out}, hunts: someHunts}); err != nil {
		t.Fatal(err)
	}
	if want := "name,title,techniques\nwho-called,Who called,T1078\nplain,Without parameters,\n"; out.String() != want {
		t.Errorf("%q", out.String())
	}
}

func TestHuntShowSQL(t *testing.T) {
	var out bytes.Buffer
	c := huntRunCommand{Name: "who-called", Param: []string{"asset=it's = so", "since=2026-03-01T06:00:00Z"}, ShowSQL: true}
	if err := c.Run(t.Context(), &environment{stdio: stdio{out: &out}, hunts: someHunts}); err != nil {
		t.Fatal(err)
	}
	if want := `SELECT 'it\'s = so' AS asset, '22'::UInt16 AS port, '2026-03-01 06:00:00.000'::DateTime64(3) < now64() AS ago;` + "\n"; out.String() != want {
		t.Errorf("%s", out.String())
	}
}

func TestFindHunt(t *testing.T) {
	for name, want := range map[string]string{
		"who-caled": "did you mean who-called?", "called-from": "did you mean who-called?", "zzz": "tapwatch hunt list",
	} {
		if _, err := findHunt(someHunts, name); err == nil || !strings.Contains(err.Error(), want) || report(new(bytes.Buffer), err) != exitMisuse {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestShownSQLIsTheHunt: the query with the values set in gives what the hunt gives.
func TestShownSQLIsTheHunt(t *testing.T) {
	capture := withEngine(t, "softflowd-netflow9.pcap")
	if r := tapwatch(t, nil, "replay", capture); r.code != exitGood {
		t.Fatalf("replay: %+v", r)
	}
	args := []string{"hunt", "run", "top-talkers", "--format", "json", "-p", "since=2026-01-01"}
	ran := tapwatchHere(t, "", args...)
	shown := tapwatchHere(t, "", append(args, "--show-sql")...)
	pasted := tapwatchHere(t, shown.out, "sql", "--format", "json")
	if ran.code != exitGood || ran.out == "" || pasted.out != ran.out {
		t.Errorf("the hunt: %+v\nits SQL: %+v\ngives: %+v", ran, shown, pasted)
	}
}

// tapwatchHere calls the program where the test is, with something to read.
func tapwatchHere(t *testing.T, in string, args ...string) result {
	t.Helper()
	var out, errs bytes.Buffer
	code := run(t.Context(), args, stdio{strings.NewReader(in), &out, &errs})
	return result{code, out.String(), errs.String()}
}
