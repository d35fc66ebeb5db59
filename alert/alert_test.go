package alert

import (
	"encoding/json"
	"testing"
)

func TestIdentityTellsPartsApart(t *testing.T) {
	if Identity("policy", "a", "b") == Identity("policy", "ab", "") {
		t.Error("parts run together")
	}
	if a, b := Identity("policy", "x"), Identity("policy", "x"); a != b || len(a) != 16 {
		t.Errorf("identities %q and %q", a, b)
	}
}

func TestSeverity(t *testing.T) {
	for _, s := range []Severity{Low, Medium, High, Critical} {
		text, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		var back Severity
		if err := json.Unmarshal(text, &back); err != nil || back != s {
			t.Errorf("%s came back as %s, %v", s, back, err)
		}
	}
	if _, err := ParseSeverity("fatal"); err == nil {
		t.Error("fatal is no severity")
	}
	if got := Severity(9).String(); got != "severity(9)" {
		t.Errorf("String() = %s", got)
	}
}

func TestFeedTellsEverySubscriberInOrder(t *testing.T) {
	f := NewFeed()
	a, endA := f.Subscribe()
	b, endB := f.Subscribe()
	defer endB()
	f.Publish(Alert{Version: 1}, Alert{Version: 2})
	endA()
	f.Publish(Alert{Version: 3})
	var gotA, gotB []uint64
	for x := range a {
		gotA = append(gotA, x.Version)
	}
	for range 3 {
		gotB = append(gotB, (<-b).Version)
	}
	if len(gotA) != 2 || gotA[0] != 1 || len(gotB) != 3 || gotB[2] != 3 {
		t.Errorf("a got %v, b got %v", gotA, gotB)
	}
}

func TestFeedCutsOffWhoLags(t *testing.T) {
	f := NewFeed()
	slow, end := f.Subscribe()
	for i := range feedBuffer + 1 {
		f.Publish(Alert{Version: uint64(i + 1)})
	}
	n := 0
	for range slow {
		n++
	}
	if n != feedBuffer {
		t.Errorf("got %d alerts before the end, want %d", n, feedBuffer)
	}
	end() // must not panic on a channel already closed
	f.Publish(Alert{})
}
