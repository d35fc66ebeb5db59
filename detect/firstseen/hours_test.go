package firstseen

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestHours: hours on end are one stay, and the first from any time on is the one that
// was seen.
func TestHours(t *testing.T) {
	for name, c := range map[string]struct {
		seen  []int32
		stays hours
	}{
		"never":           {nil, nil},
		"once":            {[]int32{5}, hours{{5, 5}}},
		"all the time":    {[]int32{5, 6, 7, 8}, hours{{5, 8}}},
		"twice an hour":   {[]int32{5, 5, 6}, hours{{5, 6}}},
		"now and then":    {[]int32{5, 7, 30}, hours{{5, 5}, {7, 7}, {30, 30}}},
		"with some gaps":  {[]int32{1, 2, 3, 9, 10, 40}, hours{{1, 3}, {9, 10}, {40, 40}}},
		"gone for a week": {[]int32{1, 169, 170}, hours{{1, 1}, {169, 170}}},
	} {
		t.Run(name, func(t *testing.T) {
			var got hours
			for _, hour := range c.seen {
				got.add(hour)
			}
			if diff := cmp.Diff(c.stays, got, cmp.AllowUnexported(stay{})); diff != "" {
				t.Errorf("stays (-want +got):\n%s", diff)
			}
			for since := range int32(200) {
				i := slices.IndexFunc(c.seen, func(hour int32) bool { return hour >= since })
				first, ok := got.from(since)
				if later, still := got.after(since).from(since); later != first || still != ok {
					t.Errorf("from %d on it is %d, %t, and when the rest is forgotten %d, %t", since, first, ok, later, still)
				}
				if ok != (i >= 0) || ok && first != c.seen[i] {
					t.Errorf("from %d on the first is %d, %t", since, first, ok)
				}
			}
		})
	}
}

func TestHourOf(t *testing.T) {
	for at, want := range map[string]int32{"1970-01-02T00:00:00Z": 24, "1970-01-02T00:00:00.001Z": 25, "1970-01-02T00:59:58Z": 25, "1970-01-02T01:00:00Z": 25} {
		parsed, err := time.Parse(time.RFC3339, at)
		if err != nil {
			t.Fatal(err)
		}
		if got := hourOf(parsed); got != want {
			t.Errorf("%s: the next hour is %d, want %d", at, got, want)
		}
	}
}

// TestSightings: read bit by bit, forgotten as the time goes on, with queries that
// fail in between, they say what a look at all hours says; and no hour is read twice.
func TestSightings(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	const span, history = 600, 200
	var in [span][]int // who was seen in each hour
	for hour := range in {
		for who := range 20 {
			if random.IntN(who*who+1) == 0 {
				in[hour] = append(in[hour], who)
			}
		}
	}
	reads := [span]int{}
	more := func(_ context.Context, from, to time.Time, see func(int, time.Time)) error {
		if random.IntN(4) == 0 {
			return errors.New("no connection")
		}
		for hour := hourOf(from); hour < hourOf(to); hour++ {
			reads[hour]++
			for _, who := range in[hour] {
				see(who, timeOf(hour))
			}
		}
		return nil
	}
	var s sightings[int]
	s.begin(0)
	for end := int32(history); end < span; end += 1 + random.Int32N(30) {
		since := end - history
		for s.read(t.Context(), end-10, end, more) != nil {
			continue
		}
		if random.IntN(2) == 0 {
			s.forget(since)
		}
		for who := range 20 {
			want := slices.IndexFunc(in[since:end-10], func(all []int) bool { return slices.Contains(all, who) })
			first, ok := s.seen[who].from(since)
			if ok = ok && first < end-10; ok != (want >= 0) || ok && first != since+int32(want) {
				t.Fatalf("in [%d, %d) %d was first seen at %d, %t, want %d later", since, end-10, who, first, ok, want)
			}
		}
	}
	if slices.Max(reads[:]) > 1 {
		t.Errorf("hours are read so many times: %v", reads)
	}
}
