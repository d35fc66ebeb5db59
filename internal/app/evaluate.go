package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"tapwatch/alert"
	"tapwatch/collector"
	"tapwatch/detect"
	enrichintel "tapwatch/enrich/intel"
	"tapwatch/internal/evaluate"
	"tapwatch/simulate/campaign"
	"tapwatch/storage"
)

// Evaluation says how to measure detectors on a campaign.
type Evaluation struct {
	Campaign campaign.Config
	// Detect are the detectors' settings. The inventory, the lists and the geography are
	// the campaign's.
	Detect DetectConfig
	// Only are the detectors to run; empty: all.
	Only []string
	// Dir is for files that are needed meanwhile: inventory, geography, lists, and what
	// of the campaign is not in the database. Where all of the same campaign is there,
	// and in the database, it is not generated again.
	Dir string
	// Say is told what is being done and how long it took; nil: nobody is.
	Say func(what string, took time.Duration)
}

// Evaluate generates a campaign, sends its datagrams through decoder, enrichment and
// writer into the database, which must be empty or hold the same campaign, runs the
// detectors over it, and holds what they find against the labels.
func Evaluate(ctx context.Context, e Evaluation, store *storage.Store, logger *slog.Logger) (evaluate.Result, error) {
	c, err := campaign.New(e.Campaign)
	if err != nil {
		return evaluate.Result{}, err
	}
	planned := fingerprint(c)
	truth, err := e.stored(planned)
	if err != nil {
		return evaluate.Result{}, err
	}
	cfg, err := e.config(c)
	if err == nil && truth == nil {
		truth, err = e.generate(ctx, cfg, c, planned, store, logger)
	}
	if err != nil {
		return evaluate.Result{}, err
	}
	from, to := e.span()
	began := time.Now()
	findings, err := e.detect(ctx, cfg, store, from, to)
	if err != nil {
		return evaluate.Result{}, err
	}
	e.say("detectors run", began)
	r := evaluate.Result{Seed: e.Campaign.Seed, Days: to.Sub(from).Hours() / 24, Pairs: truth.Stats.Pairs, Records: truth.Stats.Records}
	r.Planted, r.Alerts = evaluate.Score(truth.Labels, findings)
	return r, nil
}

func (e *Evaluation) span() (from, to time.Time) {
	return e.Campaign.Start, e.Campaign.Start.Add(e.Campaign.History + e.Campaign.Attack)
}

// truth is what of a campaign is known only once it has been generated.
type truth struct {
	// Campaign says of which, Planned is the fingerprint of what was planned: another
	// version of the generator plans something else.
	Campaign campaign.Config
	Planned  string
	Labels   []campaign.Label
	Stats    campaign.Stats
}

// file is where the truth is kept; it is written last, so that where it is, the database
// is complete.
func (e *Evaluation) file() string { return filepath.Join(e.Dir, "campaign.json") }

// stored gives the truth of a campaign that is in the database already; nil: none is.
func (e *Evaluation) stored(planned string) (*truth, error) {
	text, err := os.ReadFile(e.file())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("evaluate: %w", err)
	}
	var t truth
	if err := json.Unmarshal(text, &t); err != nil {
		return nil, fmt.Errorf("evaluate: %s: %w", e.file(), err)
	}
	if t.Planned != planned || !reflect.DeepEqual(t.Campaign, e.Campaign) {
		return nil, fmt.Errorf("evaluate: %s holds another campaign; use another folder, or remove that one", e.Dir)
	}
	return &t, nil
}

// fingerprint is a hash of what a campaign that has not run yet plans.
func fingerprint(c *campaign.Campaign) string {
	hash := sha256.New()
	hash.Write(c.Inventory())
	if err := json.NewEncoder(hash).Encode([]any{c.Intelligence(), c.Labels()}); err != nil {
		panic(err) // texts, numbers and times, all of which JSON has
	}
	return hex.EncodeToString(hash.Sum(nil))
}

// empty is an error where there are flows.
func empty(ctx context.Context, store *storage.Store) error {
	var flows uint64
	if err := store.QueryRow(ctx, "SELECT count() FROM flows").Scan(&flows); err != nil {
		return err
	}
	if flows > 0 {
		return fmt.Errorf("the database holds %d flows of a campaign that was never finished; remove the folder", flows)
	}
	return nil
}

// generate fills the database.
func (e *Evaluation) generate(ctx context.Context, cfg Config, c *campaign.Campaign, planned string, store *storage.Store, logger *slog.Logger) (*truth, error) {
	if err := empty(ctx, store); err != nil {
		return nil, fmt.Errorf("evaluate: %s: %w", e.Dir, err)
	}
	began := time.Now()
	if err := ingest(ctx, cfg, store, exports(c), logger); err != nil {
		return nil, err
	}
	if err := c.Err(); err != nil {
		return nil, err
	}
	began = e.say("campaign generated, decoded, enriched and stored", began)
	from, to := e.span()
	if err := detect.Rebuild(ctx, store, from, to, nil); err != nil {
		return nil, err
	}
	e.say("history made", began)
	t := &truth{e.Campaign, planned, c.Labels(), c.Stats()}
	text, err := json.Marshal(t)
	if err == nil {
		err = os.WriteFile(e.file(), text, 0o600)
	}
	if err != nil {
		return nil, fmt.Errorf("evaluate: %w", err)
	}
	return t, nil
}

func (e *Evaluation) say(what string, began time.Time) time.Time {
	now := time.Now()
	if e.Say != nil {
		e.Say(what, now.Sub(began))
	}
	return now
}

// config writes the campaign's files and makes the configuration that names them.
func (e *Evaluation) config(c *campaign.Campaign) (Config, error) {
	cfg := DefaultConfig()
	cfg.Detect = e.Detect
	cfg.Inventory = filepath.Join(e.Dir, "inventory.yaml")
	if err := os.WriteFile(cfg.Inventory, c.Inventory(), 0o600); err != nil {
		return cfg, fmt.Errorf("evaluate: %w", err)
	}
	var err error
	if cfg.Enrich.Geo.CountryDatabase, cfg.Enrich.Geo.ASNDatabase, err = c.WriteGeography(e.Dir); err != nil {
		return cfg, fmt.Errorf("evaluate: %w", err)
	}
	for name, text := range c.Intelligence() {
		file := filepath.Join(e.Dir, name)
		if err := os.WriteFile(file, text, 0o600); err != nil {
			return cfg, fmt.Errorf("evaluate: %w", err)
		}
		cfg.Enrich.Intel.Lists = append(cfg.Enrich.Intel.Lists, enrichintel.List{Name: name, File: file})
	}
	return cfg, nil
}

// detect runs all detectors.
func (e *Evaluation) detect(ctx context.Context, cfg Config, store *storage.Store, from, to time.Time) ([]alert.Finding, error) {
	rules := cfg.Rules()
	rules.Only = e.Only
	inv, err := rules.live()
	if err != nil {
		return nil, err
	}
	costs := map[string]time.Duration{}
	test := detect.Backtest{
		Detectors: rules.detectors(inv), History: detect.NewStored(store), Window: rules.Detect.Window,
		Parallel: rules.Detect.Parallel, Hold: holder(inv.Load),
		Cost: func(name string, took time.Duration) { costs[name] += took },
	}
	found, err := test.Run(ctx, from, to)
	if e.Say != nil {
		for _, d := range test.Detectors {
			e.Say("  of which "+d.Name(), costs[d.Name()])
		}
	}
	return found, err
}

// export is a datagram on its way to the decoder.
type export struct {
	at      time.Time
	from    netip.AddrPort
	payload []byte
}

// exports gives the campaign's datagrams.
func exports(c *campaign.Campaign) iter.Seq[export] {
	return func(yield func(export) bool) {
		for d := range c.Datagrams() {
			if !yield(export{d.At, netip.AddrPortFrom(d.From, 2055), d.Payload}) {
				return
			}
		}
	}
}

// ingest sends datagrams through decoder, enrichment and writer, and what the decoder
// counted, minute by minute of stream time, into exporter_health.
func ingest(ctx context.Context, cfg Config, store *storage.Store, datagrams iter.Seq[export], logger *slog.Logger) error {
	registry := prometheus.NewRegistry()
	inv, err := cfg.loadInventory()
	if err != nil {
		return err
	}
	enrichment, err := newEnrichment(cfg.Enrich, inv, logger, registry)
	if err != nil {
		return err
	}
	toStore := cfg.writer()
	toStore.Spool.MaxBytes = 0
	writer, err := storage.NewWriter(toStore, logger, registry)
	if err != nil {
		return err
	}
	writer.Attach(store)
	r := &replay{
		decoder: collector.NewDecoder(cfg.Collector, protocols(), listedExporters{inv}),
		writer:  writer, enrich: enrichment, began: time.Now(), done: Replayed{Dropped: map[string]uint64{}},
		health: healthBook{store: store, every: cfg.Collector.HealthInterval},
	}
	life := newLifecycle()
	life.start("writer", writer.Run)
	err = life.until(ctx, func(ctx context.Context) error {
		for d := range datagrams {
			if err := r.take(ctx, d); err != nil {
				return err
			}
		}
		return r.finish(ctx)
	})
	return errors.Join(err, life.stop())
}
