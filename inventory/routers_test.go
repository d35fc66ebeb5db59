package inventory_test

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"tapwatch/flow"
	"tapwatch/inventory"
)

func TestExporters(t *testing.T) {
	v := example(t)
	router, mapped, unknown := addr("10.30.0.1"), addr("::ffff:10.30.0.1"), addr("10.30.0.9")
	for _, a := range []netip.Addr{router, mapped} {
		e, ok := v.Exporter(a)
		if !ok || e.Name != "pe1.east" || !v.Listed(a) || v.SamplingInterval(a) != 1000 || v.ExporterName(a) != "pe1.east" {
			t.Errorf("%v: %+v", a, e)
		}
	}
	if _, ok := v.Exporter(unknown); ok || v.Listed(unknown) || v.SamplingInterval(unknown) != 0 || v.ExporterName(unknown) != "10.30.0.9" {
		t.Error("an unknown exporter is known")
	}
	e, _ := v.Exporter(router)
	for index, want := range map[uint32]string{1: "core", 2: "core", 3: "", 9: "", 10: "peering", 19: "peering", 199: "customer", 200: ""} {
		if got := e.InterfaceRole(index); got != want {
			t.Errorf("interface %d: role %q, want %q", index, got, want)
		}
	}
	if name := parse(t, "exporters: [{address: 10.0.0.1}]").ExporterName(addr("10.0.0.1")); name != "10.0.0.1" {
		t.Errorf("without a name: %q", name)
	}
}

func TestExpectsTunnel(t *testing.T) {
	v := example(t)
	a, b := addr("10.30.0.1"), addr("10.30.0.2")
	if !v.ExpectsTunnel(a, b, flow.ProtocolGRE) || !v.ExpectsTunnel(b, a, flow.ProtocolGRE) {
		t.Error("a listed tunnel is not expected")
	}
	if v.ExpectsTunnel(a, b, flow.ProtocolESP) || v.ExpectsTunnel(a, addr("10.30.0.3"), flow.ProtocolGRE) {
		t.Error("an unlisted tunnel is expected")
	}
}

func TestUnderMaintenance(t *testing.T) {
	v := parse(t, `
zones:
- {name: routers, kind: infrastructure, prefixes: [10.30.0.0/24], assets: [{name: pe2, addresses: 10.30.0.2}]}
- {name: li, kind: lawful-intercept, prefixes: [10.66.0.0/24]}
exporters:
- {address: 10.40.0.1, name: pe1}
maintenance:
- {name: by-name, exporters: [pe1, 10.40.0.9], from: 2026-12-01T01:00:00Z, to: 2026-12-01T03:00:00Z, ticket: CHG-1}
- {name: by-asset, assets: pe2, from: 2026-12-01T01:00:00Z, to: 2026-12-01T03:00:00Z}
- {name: by-zone, zones: [routers], from: 2026-12-02T01:00:00+02:00, to: 2026-12-02T03:00:00+02:00}
`)
	first := time.Date(2026, 12, 1, 1, 0, 0, 0, time.UTC)
	second := time.Date(2026, 12, 1, 23, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name    string
		at      time.Time
		subject inventory.Subject
		want    string
	}{
		{"exporter by name", first, inventory.Subject{Exporter: addr("10.40.0.1")}, "by-name"},
		{"exporter by address", first, inventory.Subject{Exporter: addr("::ffff:10.40.0.9")}, "by-name"},
		{"before", first.Add(-1), inventory.Subject{Exporter: addr("10.40.0.1")}, ""},
		{"the end is not in it", first.Add(2 * time.Hour), inventory.Subject{Exporter: addr("10.40.0.1")}, ""},
		{"asset", first, inventory.Subject{Asset: "pe2"}, "by-asset"},
		{"exporter that is the asset", first, inventory.Subject{Exporter: addr("10.30.0.2")}, "by-asset"},
		{"exporter in the zone", second, inventory.Subject{Exporter: addr("10.30.0.7")}, "by-zone"},
		{"zone", second, inventory.Subject{Zone: "routers"}, "by-zone"},
		{"another zone", second, inventory.Subject{Zone: "li", Asset: "x"}, ""},
		{"nothing", first, inventory.Subject{}, ""},
	} {
		m, ok := v.UnderMaintenance(c.at, c.subject)
		if m.Name != c.want || ok != (c.want != "") {
			t.Errorf("%s: %q, %v", c.name, m.Name, ok)
		}
	}
}

func TestLive(t *testing.T) {
	var empty inventory.Live
	if empty.Load() == nil || len(empty.Load().Zones) != 0 {
		t.Error("the zero Live is not empty")
	}
	file := filepath.Join(t.TempDir(), "inventory.yaml")
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	live := inventory.NewLive(example(t))
	var readers sync.WaitGroup
	stop := make(chan struct{})
	for range 2 {
		readers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					live.Load().Lookup(addr(mdf2))
				}
			}
		})
	}
	write("zones: [{name: new, kind: core, prefixes: [10.66.0.0/24]}]\n")
	if err := live.Reload(file); err != nil || live.Load().Lookup(addr(mdf2)).Zone != "new" {
		t.Errorf("err %v, zone %q", err, live.Load().Lookup(addr(mdf2)).Zone)
	}
	write("zones: [{name: newer, kind: core}]\n")
	err := live.Reload(file)
	close(stop)
	readers.Wait()
	if err == nil || !strings.Contains(err.Error(), "inventory.yaml:1:9: zones[0].prefixes: is missing") || !strings.HasPrefix(err.Error(), "the inventory of before stays in force") {
		t.Errorf("err = %v", err)
	}
	if live.Load().Lookup(addr(mdf2)).Zone != "new" {
		t.Error("a bad file replaced the inventory")
	}
	if err := live.Reload(file + "x"); err == nil {
		t.Error("a missing file is no error")
	}
}

// FuzzParse holds that no file makes Parse or what it returns panic.
func FuzzParse(f *testing.F) {
	example, err := os.ReadFile("../inventory.example.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(example)
	f.Add([]byte(zones + "allow: [{name: r, from: [zone:li], to: any, schedule: Mon UTC}]\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		v, err := inventory.Parse("f.yaml", data)
		if err != nil {
			return
		}
		v.Explain(tcp(admf, mdf2, 22))
		v.Warnings(monday)
	})
}
