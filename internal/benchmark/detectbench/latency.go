package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"path/filepath"
	"time"

	"tapwatch/internal/app"
	"tapwatch/internal/benchmark/carrier"
	"tapwatch/internal/benchmark/measure"
	"tapwatch/simulate"
)

// startPatience bounds how long tapwatch takes to start: a loaded machine is slow.
const startPatience = 3 * time.Minute

// measureLatency runs a tapwatch that receives the simulated carrier's flows, plants what
// policy and intel are to find, and waits for the alerts on the API.
func (b *bench) measureLatency(ctx context.Context) (err error) {
	cfg, err := carrier.Config(filepath.Join(b.dir, "latency"))
	if err != nil {
		return err
	}
	if err := addLists(&cfg, filepath.Join(b.dir, "latency"), b.triggers); err != nil {
		return err
	}
	cfg.Collector.Listen = []string{"127.0.0.1:0"}
	cfg.Console.Listen = "127.0.0.1:0"
	a, err := app.New(cfg, b.logger)
	if err != nil {
		return err
	}
	ready := make(chan app.Addresses, 1)
	a.OnReady = func(at app.Addresses) { ready <- at }
	running, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- a.Run(running) }()
	defer func() {
		stop()
		err = errors.Join(err, <-ended)
	}()
	select {
	case at := <-ready:
		return b.waitForAlerts(ctx, at)
	case err := <-ended:
		ended <- nil
		return errors.Join(errors.New("tapwatch ended at once"), err)
	case <-time.After(startPatience):
		return fmt.Errorf("tapwatch is not ready after %s", startPatience)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// warmUp is how long the carrier's flows come before the first trigger.
const warmUp = 10 * time.Second

// waitForAlerts sends the carrier's flows and the triggers.
func (b *bench) waitForAlerts(ctx context.Context, at app.Addresses) (err error) {
	b.report.Say("\nlatency: %d triggers at %.0f flow records/s", b.triggers, b.flows)
	network, err := quietNetwork(b.flows)
	if err != nil {
		return err
	}
	sending, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	var stats simulate.Stats
	go func() {
		var err error
		stats, err = network.Run(sending, simulate.Options{Target: at.Collector[0]})
		ended <- err
	}()
	defer func() {
		stop()
		err = errors.Join(err, <-ended)
		b.report.Say("  %d flow records came meanwhile", stats.Records)
	}()
	to, err := newTriggers(at.Collector[0])
	if err != nil {
		return err
	}
	defer to.close()
	select {
	case <-time.After(warmUp):
	case <-ctx.Done():
		return ctx.Err()
	}
	took := map[string][]float64{}
	var all []float64
	for i := range b.triggers {
		// Anywhere within panes, polls and inserts.
		select {
		case <-time.After(time.Duration(i*7919%2000) * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
		detector := []string{"policy", "intel"}[i%2]
		peer, err := to.send(i, detector == "intel")
		if err != nil {
			return err
		}
		sent := time.Now()
		if err := readable(ctx, at.Console, detector, peer); err != nil {
			return fmt.Errorf("trigger %d: %w", i+1, err)
		}
		seconds := time.Since(sent).Seconds()
		took[detector] = append(took[detector], seconds)
		all = append(all, seconds)
	}
	for _, detector := range []string{"policy", "intel"} {
		b.tell(detector, "_"+detector, took[detector])
	}
	b.tell("both", "", all)
	return nil
}

// tell reports the quantiles of some times.
func (b *bench) tell(who, suffix string, seconds []float64) {
	p50, p99, worst := measure.Median(seconds), measure.Quantile(seconds, 0.99), measure.Quantile(seconds, 1)
	b.report.Say("  %-7s %4d alerts: median %.2f s, p99 %.2f s, worst %.2f s", who, len(seconds), p50, p99, worst)
	b.report.Add("detect_latency"+suffix+"_p50_s", p50)
	b.report.Add("detect_latency"+suffix+"_p99_s", p99)
	b.report.Add("detect_latency"+suffix+"_worst_s", worst)
}

// alertPatience bounds how long an alert is waited for.
const alertPatience = 2 * time.Minute

// readable waits until the API shows an alert of the detector about the peer.
func readable(ctx context.Context, console netip.AddrPort, detector string, peer netip.Addr) error {
	ctx, cancel := context.WithTimeout(ctx, alertPatience)
	defer cancel()
	url := fmt.Sprintf("http://%s/api/v1/alerts?limit=20&detector=%s&q=%s", console, detector, peer)
	err := measure.Poll(ctx, func() (bool, error) {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return false, err
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return false, err
		}
		defer response.Body.Close()
		if response.StatusCode != http.StatusOK {
			return false, fmt.Errorf("%s answers %s", url, response.Status)
		}
		var page struct {
			Alerts []struct {
				Detector string `json:"detector"`
				Peer     struct {
					Addr netip.Addr `json:"addr"`
				} `json:"peer"`
			} `json:"alerts"`
		}
		if err := json.NewDecoder(response.Body).Decode(&page); err != nil {
			return false, err
		}
		for _, a := range page.Alerts {
			if a.Detector == detector && a.Peer.Addr == peer {
				return true, nil
			}
		}
		return false, nil
	})
	if err != nil {
		return fmt.Errorf("an alert of %s about %s: %w", detector, peer, err)
	}
	return nil
}
