package detect_test

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/prometheus/client_golang/prometheus"

	"tapwatch/alert"
	"tapwatch/detect"
	"tapwatch/detect/detecttest"
	"tapwatch/detect/intel"
	"tapwatch/detect/policy"
	"tapwatch/detect/telemetry"
	"tapwatch/internal/testkit"
)

// recorder keeps one finding for each ID and window, as storage does.
type recorder map[string]alert.Finding

func (r recorder) Record(_ context.Context, findings []alert.Finding) error {
	for _, f := range findings {
		r[f.Detector+f.ID+f.WindowStart.Format(time.RFC3339Nano)] = f
	}
	return nil
}

func (r recorder) sorted() []alert.Finding {
	var all []alert.Finding
	for _, f := range r {
		all = append(all, f)
	}
	slices.SortFunc(all, func(a, b alert.Finding) int {
		return strings.Compare(a.Detector+a.ID+a.WindowStart.String(), b.Detector+b.ID+b.WindowStart.String())
	})
	return all
}

// traffic is five minutes of a carrier with an intruder, in the order in which it
// was received: sessions whose directions come in different windows, by two
// routers, and one router that falls silent.
func traffic() []detecttest.Flow {
	var all []detecttest.Flow
	for s := 0; s < 300; s += 5 {
		at := detecttest.At(time.Duration(s) * time.Second)
		intruder := detecttest.Flow{At: at, Src: "203.0.113.66", Dst: "10.66.0.30", SrcPort: uint16(40000 + s/30), DstPort: 22,
			Flags: detecttest.Session, Packets: uint64(3 + s%7), Bytes: uint64(1000 + s)}
		switch s % 15 {
		case 0:
			all = append(all, intruder)
		case 5:
			all = append(all, intruder.Back(20, uint64(9000+s)))
		default:
			listed := detecttest.Flow{At: at, Exporter: "10.30.0.3", Src: "10.40.1.10", Dst: "198.51.100.13", SrcPort: 41000, DstPort: 443, Flags: detecttest.Session}
			all = append(all, listed, listed.Back(5, 4000))
		}
		if s < 100 {
			all = append(all, detecttest.Flow{At: at, Exporter: "10.30.0.9", Src: "10.40.2.10", Dst: "10.66.0.30", SrcPort: 40000, DstPort: 8890, Flags: detecttest.Session})
		}
	}
	return all
}

// TestLiveEqualsAtOnce stores traffic bit by bit and detects as it comes, with a
// restart at every step, and a crash that forgets progress; and then all at once.
func TestLiveEqualsAtOnce(t *testing.T) {
	inv := detecttest.Inventory(t, detecttest.Operator)
	telemetryCfg := telemetry.DefaultConfig()
	telemetryCfg.Silence, telemetryCfg.MinBuckets, telemetryCfg.MinAge = 2*time.Minute, 5, 0
	engine := func(store detect.Store, r detect.Recorder, mark time.Time) *detect.Engine {
		cfg := detect.DefaultConfig()
		cfg.Window, cfg.Lookback = 20*time.Second, 5*time.Minute
		e, err := detect.New(cfg, []detect.Detector{
			policy.New(policy.DefaultConfig(), inv), intel.New(intel.DefaultConfig(), inv), telemetry.New(telemetryCfg, inv),
		}, store, r, func() time.Time { return mark }, testkit.Logger(t), prometheus.NewRegistry())
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	step := func(store detect.Store, r detect.Recorder, mark time.Time) {
		t.Helper()
		if err := engine(store, r, mark).Step(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	end := detecttest.At(5 * time.Minute)

	liveStore, liveStage := open(t)
	live := recorder{}
	pending := traffic()
	for i, mark := 0, detecttest.At(37*time.Second); ; i, mark = i+1, mark.Add(37*time.Second) {
		if mark.After(end) {
			mark = end
		}
		n, _ := slices.BinarySearchFunc(pending, mark, func(f detecttest.Flow, at time.Time) int { return f.At.Compare(at) })
		liveStage.Flows(pending[:n]...)
		pending = pending[n:]
		step(liveStore, live, mark)
		if i == 4 { // a crash after the findings were recorded: progress goes back
			for _, name := range []string{"sessions", "policy", "intel", "telemetry"} {
				if err := liveStore.RewindProgress(t.Context(), name, detecttest.At(0)); err != nil {
					t.Fatal(err)
				}
			}
		}
		if mark.Equal(end) {
			break
		}
	}

	onceStore, onceStage := open(t)
	once := recorder{}
	onceStage.Flows(traffic()...)
	step(onceStore, once, end)

	if diff := cmp.Diff(once.sorted(), live.sorted(), cmpopts.EquateComparable(netip.Addr{})); diff != "" {
		t.Errorf("findings (-at once +live):\n%s", diff)
	}
	detectors := map[string]int{}
	for _, f := range once {
		detectors[f.Detector]++
	}
	if len(detectors) != 3 {
		t.Errorf("findings by detector %v: not all three found something", detectors)
	}
}
