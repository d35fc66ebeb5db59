package measure_test

import (
	"bytes"
	"os"
	"testing"

	"tapwatch/internal/benchmark/measure"
)

func TestReportEndsWithTheHeadlines(t *testing.T) {
	var out bytes.Buffer
	r := &measure.Report{Out: &out, Headlines: []string{"first", "second"}}
	r.Add("second", 0.5)
	r.Add("first", 0.25)
	r.Add("other", 1)
	r.Print()
	if want := "\nbench other 1.0000\nbench first 0.2500\nbench second 0.5000\n"; out.String() != want {
		t.Errorf("printed\n%s\nwant\n%s", out.String(), want)
	}
}

func TestProcessFacts(t *testing.T) {
	if measure.Ended(os.Getpid()) {
		t.Error("this process is said to have ended")
	}
	if _, err := measure.CPU(os.Getpid()); err != nil {
		t.Error(err)
	}
	now, err := measure.Resident(os.Getpid())
	if err != nil || now < 1<<20 {
		t.Errorf("resident: %d bytes (%v)", now, err)
	}
	if peak, err := measure.PeakResident(os.Getpid()); err != nil || peak < 1<<20 {
		t.Errorf("peak: %d bytes (%v)", peak, err)
	}
	addr, err := measure.FreeAddr()
	if err != nil {
		t.Fatal(err)
	}
	if all, err := measure.SocketsOf(addr.Port()); err != nil || len(all) != 0 {
		t.Errorf("sockets of a free port: %v (%v)", all, err)
	}
}

func TestMedian(t *testing.T) {
	for _, c := range []struct {
		values []float64
		want   float64
	}{{nil, 0}, {[]float64{3}, 3}, {[]float64{9, 1, 2}, 2}, {[]float64{4, 1, 3, 2}, 2.5}} {
		if got := measure.Median(c.values); got != c.want {
			t.Errorf("Median(%v) = %v, want %v", c.values, got, c.want)
		}
	}
}

func TestQuantile(t *testing.T) {
	hundred := make([]float64, 100)
	for i := range hundred {
		hundred[i] = float64(100 - i)
	}
	for _, c := range []struct {
		values  []float64
		q, want float64
	}{{nil, 0.95, 0}, {[]float64{7}, 0.95, 7}, {hundred, 0.95, 96}, {hundred, 1, 100}, {hundred, 0, 1}} {
		if got := measure.Quantile(c.values, c.q); got != c.want {
			t.Errorf("Quantile(%d values, %v) = %v, want %v", len(c.values), c.q, got, c.want)
		}
	}
}
