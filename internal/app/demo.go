package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"text/template"
	"time"

	"tapwatch/alert"
	"tapwatch/simulate"
	"tapwatch/simulate/scenario"
	"tapwatch/storage/embedded"

	_ "embed" // the demo's configuration
)

// DemoOptions say where the demo keeps its data and listens.
type DemoOptions struct {
	// Dir holds the demo's configuration and data; a later demo goes on with it.
	Dir string
	// Console and Collector are where it listens, host:port.
	Console, Collector string
	// Geo is the folder with country.mmdb and asn.mmdb, as `make setup` makes them;
	// databases that are not there are left out.
	Geo string
	// Seed of the simulated network.
	Seed uint64
	// Program is how a person calls this program, for the hints that are printed.
	Program string
}

// demoData is where demo.yaml.tmpl keeps the engine's data.
const demoData = "clickhouse"

//go:embed demo.yaml.tmpl
var demoConfig string

// Demo runs the whole on a simulated carrier network under attack until ctx ends,
// and tells on w what happens.
func Demo(ctx context.Context, opts DemoOptions, w io.Writer, logger *slog.Logger) error {
	if _, running := embedded.Running(filepath.Join(opts.Dir, demoData)); running {
		return fmt.Errorf("another demo runs on %s: end it, or choose another folder with --dir", opts.Dir)
	}
	configFile, err := opts.write()
	if err != nil {
		return fmt.Errorf("prepare the demo in %s: %w", opts.Dir, err)
	}
	cfg, err := LoadConfig(configFile)
	if err != nil {
		return err
	}
	a, err := New(cfg, logger)
	if err != nil {
		return err
	}
	d := &demo{opts: opts, app: a, out: w, logger: logger, configFile: configFile, started: time.Now()}
	d.printf("tapwatch starts: the ClickHouse engine, the collector, the detectors, the NOC page …")
	return d.run(ctx)
}

// write puts the demo's configuration, inventory and intelligence list in place.
func (o DemoOptions) write() (configFile string, err error) {
	var text strings.Builder
	values := struct {
		DemoOptions
		Country, ASN string
	}{o, existing(o.Geo, "country.mmdb"), existing(o.Geo, "asn.mmdb")}
	if err := template.Must(template.New("").Parse(demoConfig)).Execute(&text, values); err != nil {
		return "", err
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return "", err
	}
	configFile = filepath.Join(o.Dir, "tapwatch.yaml")
	return configFile, errors.Join(
		os.WriteFile(configFile, []byte(text.String()), 0o600),
		os.WriteFile(filepath.Join(o.Dir, "inventory.yaml"), simulate.Inventory(), 0o600),
		os.WriteFile(filepath.Join(o.Dir, "intel.txt"), simulate.Intelligence(), 0o600),
	)
}

// existing is the absolute path of a file, or nothing if it is not there.
func existing(dir, name string) string {
	path, err := filepath.Abs(filepath.Join(dir, name))
	if err != nil {
		return ""
	}
	if _, err := os.Stat(path); err != nil {
		return ""
	}
	return path
}

type demo struct {
	opts       DemoOptions
	app        *App
	out        io.Writer
	logger     *slog.Logger
	configFile string
	started    time.Time
}

// run starts the simulated network once the App is ready, and ends with ctx or
// with whichever fails first.
func (d *demo) run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	life := newLifecycle()
	ready := make(chan Addresses, 1)
	d.app.OnReady = func(at Addresses) { ready <- at }
	life.start("demo", d.app.Run)
	err := life.until(ctx, func(ctx context.Context) error {
		select {
		case at := <-ready:
			return d.attack(life, at)
		case <-ctx.Done():
			return nil
		}
	})
	if err == nil {
		err = life.wait(ctx)
	}
	d.printf("stopping …")
	if err = errors.Join(err, life.stop()); err == nil {
		d.printf("stopped; `%s demo` goes on with the data in %s", d.opts.Program, d.opts.Dir)
	}
	return err
}

// attack starts the simulated network and tells of the alerts.
func (d *demo) attack(life *lifecycle, at Addresses) error {
	cfg := simulate.DefaultConfig()
	cfg.Seed, cfg.Start, cfg.Plan = d.opts.Seed, time.Now(), scenario.Demo()
	network, err := simulate.New(cfg)
	if err != nil {
		return err
	}
	d.welcome(at, len(network.Routers()))
	changes, unsubscribe := d.app.Feed().Subscribe()
	life.start("alerts", func(ctx context.Context) error {
		defer unsubscribe()
		return d.tell(ctx, at.Console, changes)
	})
	target := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), at.Collector[0].Port())
	life.start("simulated network", func(ctx context.Context) error {
		_, err := network.Run(ctx, simulate.Options{
			Target: target, Logger: d.logger,
			OnEvent: func(e simulate.Event) { d.printf("%s", e.Text) },
		})
		return err
	})
	return nil
}

// welcome says where everything is and what to expect.
func (d *demo) welcome(at Addresses, routers int) {
	fmt.Fprintf(d.out, `
  The NOC page:   http://%[1]s/
  In SQL:         %[2]s --config %[3]s sql "SELECT last_seen, severity, title FROM alerts ORDER BY last_seen DESC"
                  %[2]s --config %[3]s sql "SELECT src_addr, dst_addr, dst_port, bytes FROM flows_text WHERE dst_zone = 'li-east' LIMIT 10"
  The exporters:  %[2]s --config %[3]s doctor
  The API:        curl -s http://%[1]s/api/v1/alerts

  %[4]d simulated routers export NetFlow v5, NetFlow v9, IPFIX and sFlow to %[5]s. In ten seconds an intruder
  appears and reaches for the wiretap site li-east; two more intrusions follow within two minutes (a router that falls
  silent is told within three minutes). Ctrl-C ends it.

`, at.Console, d.opts.Program, d.configFile, routers, at.Collector[0])
}

// tell prints each alert when it is raised, and its later changes not at all: the
// page shows those.
func (d *demo) tell(ctx context.Context, console netip.AddrPort, changes <-chan alert.Alert) error {
	told := map[string]bool{}
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case a, ok := <-changes:
			if !ok {
				changes = nil // lagged behind; the page goes on
				continue
			}
			if told[a.ID] {
				continue
			}
			told[a.ID] = true
			known := ""
			if a.RaisedAt.Before(d.started) {
				known = " (known since " + a.RaisedAt.Local().Format(time.DateTime) + ", goes on)"
			}
			d.printf("ALERT %s%s: %s", strings.ToUpper(a.Severity.String()), known, a.Title)
			fmt.Fprintf(d.out, "              http://%s/#/alerts/%s\n", console, a.ID)
		}
	}
}

// printf prints a line with the time since the start.
func (d *demo) printf(format string, args ...any) {
	fmt.Fprintf(d.out, "%s  %4ds  %s\n", time.Now().Format(time.TimeOnly), int(time.Since(d.started).Seconds()), fmt.Sprintf(format, args...))
}
