// Package layers holds the test of which package may import which.
package layers

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// layers are the top-level packages from the bottom up: a package imports only
// from layers below its own, and from its own top-level package. See
// docs/architecture.md.
var layers = [][]string{
	{"flow"},
	{"alert", "inventory", "hunts"},
	{"collector", "enrich", "storage", "detect", "console", "simulate", "dashboards"},
	{"internal/evaluate"},
	{"internal/app"},
	{"cmd"},
}

// leaves may be imported by every package and import none of tapwatch.
var leaves = []string{"internal/config"}

// tests are packages that only tests import; they may import anything below
// internal/app.
var tests = []string{"internal/testkit", "internal/captures", "internal/packets", "internal/browser", "internal/layers", "internal/goflowref", "test"}

// tools are main packages of the build.
var tools = []string{"internal/asnmmdb", "internal/benchmark"}

type goPackage struct {
	ImportPath string
	Imports    []string
}

func TestImportDirections(t *testing.T) {
	for _, p := range list(t) {
		from := strings.TrimPrefix(p.ImportPath, "tapwatch/")
		if under(from, tests) || under(from, tools) {
			continue
		}
		for _, i := range p.Imports {
			to, ours := strings.CutPrefix(i, "tapwatch/")
			if !ours || under(to, leaves) {
				continue
			}
			if reason := refuse(from, to); reason != "" {
				t.Errorf("%s imports %s: %s", from, to, reason)
			}
		}
	}
}

// refuse says why one package may not import the other, or nothing if it may.
func refuse(from, to string) string {
	if under(from, leaves) {
		return "a leaf imports nothing of tapwatch"
	}
	if under(to, tests) {
		return "only tests import it"
	}
	above, below := layer(from), layer(to)
	switch {
	case above < 0:
		return from + " belongs to no layer: give it a place in layers_test.go"
	case below < 0:
		return to + " belongs to no layer: give it a place in layers_test.go"
	case root(from) == root(to):
		return "" // inside one stage Go itself forbids circles
	case below >= above:
		return "imports run from the upper layer to the lower, and never sideways"
	}
	return ""
}

func layer(p string) int {
	return slices.IndexFunc(layers, func(roots []string) bool { return under(p, roots) })
}

// root is the top-level package a package belongs to.
func root(p string) string {
	parts := strings.SplitN(p, "/", 3)
	if parts[0] == "internal" && len(parts) > 1 {
		return parts[0] + "/" + parts[1]
	}
	return parts[0]
}

func under(p string, roots []string) bool {
	return slices.ContainsFunc(roots, func(r string) bool { return p == r || strings.HasPrefix(p, r+"/") })
}

// TestRefuse makes sure that the rule can refuse.
func TestRefuse(t *testing.T) {
	for _, c := range []struct {
		from, to string
		refused  bool
	}{
		{"collector", "flow", false},
		{"collector/netflow", "collector", false},
		{"simulate", "simulate/export", false},
		{"collector", "storage", true},
		{"detect/policy", "detect", false},
		{"detect/policy", "inventory", false},
		{"flow", "alert", true},
		{"internal/app", "storage/embedded", false},
		{"storage", "internal/app", true},
		{"storage", "internal/testkit", true},
		{"newcomer", "flow", true},
	} {
		if got := refuse(c.from, c.to); (got != "") != c.refused {
			t.Errorf("refuse(%s, %s) = %q", c.from, c.to, got)
		}
	}
}

func TestFlowImportsTheStandardLibraryAlone(t *testing.T) {
	for _, p := range list(t) {
		if p.ImportPath != "tapwatch/flow" {
			continue
		}
		for _, i := range p.Imports {
			if strings.Contains(strings.SplitN(i, "/", 2)[0], ".") {
				t.Errorf("flow imports %s", i)
			}
		}
	}
}

func list(t *testing.T) []goPackage {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports", "tapwatch/...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []goPackage
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p goPackage
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	if len(all) < 5 {
		t.Fatalf("go list found only %d packages", len(all))
	}
	return all
}
