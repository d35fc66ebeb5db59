package carrier_test

import (
	"errors"
	"net/netip"
	"testing"
	"time"

	"tapwatch/internal/benchmark/carrier"
)

func TestRateForGivesThatManyRecords(t *testing.T) {
	const span, want = 4 * time.Hour, 500_000
	rate, err := carrier.RateFor(want, carrier.Until, span)
	if err != nil {
		t.Fatal(err)
	}
	n, err := carrier.Network(carrier.Until.Add(-span), rate)
	if err != nil {
		t.Fatal(err)
	}
	got := 0
	for range n.Records(carrier.Until.Add(-span), carrier.Until) {
		got++
	}
	if got < want*90/100 || got > want*110/100 {
		t.Errorf("%d records at a rate of %.0f, want about %d", got, rate, want)
	}
}

func TestStreamGivesEveryRouterInItsOwnTime(t *testing.T) {
	const span = time.Minute
	start := carrier.Until.Add(-span)
	n, err := carrier.Network(start, 100)
	if err != nil {
		t.Fatal(err)
	}
	routers := map[netip.Addr]bool{}
	last := start
	stats, err := carrier.Stream(t.Context(), n, start, span, func(from netip.AddrPort, at time.Time, datagram []byte) error {
		if at.Before(last) || at.After(carrier.Until) || len(datagram) == 0 {
			t.Fatalf("%d bytes at %s after %s", len(datagram), at, last)
		}
		routers[from.Addr()], last = true, at
		return nil
	})
	if err != nil || stats.Records == 0 || len(routers) != len(n.Routers()) {
		t.Errorf("%d records of %d routers (%v)", stats.Records, len(routers), err)
	}
	full := errors.New("full")
	if _, err := carrier.Stream(t.Context(), n, start, span, func(netip.AddrPort, time.Time, []byte) error { return full }); !errors.Is(err, full) {
		t.Errorf("the error of who takes is %v", err)
	}
}
