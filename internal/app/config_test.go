package app

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"

	"tapwatch/internal/config"
)

const exampleFile = "../../tapwatch.example.yaml"

// TestExampleShowsEveryDefault holds that tapwatch.example.yaml names every setting,
// with its default, and says what each is.
func TestExampleShowsEveryDefault(t *testing.T) {
	text, err := os.ReadFile(exampleFile)
	if err != nil {
		t.Fatal(err)
	}
	example := DefaultConfig()
	if err := config.Decode("tapwatch.example.yaml", text, &example); err != nil {
		t.Fatal(err)
	}
	// What the example sets so that it is of use, and says to be no default.
	want := DefaultConfig()
	want.Inventory = "inventory.yaml"
	want.Enrich.Geo.CountryDatabase = "build/geo/country.mmdb"
	want.Enrich.Geo.ASNDatabase = "build/geo/asn.mmdb"
	if diff := cmp.Diff(keys(t, want), keys(t, example)); diff != "" {
		t.Errorf("the example and the defaults differ (-default +example):\n%s", diff)
	}
	var written map[string]any
	if err := yaml.Unmarshal(text, &written); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(names("", keys(t, want)), names("", written)); diff != "" {
		t.Errorf("the example does not name the same settings (-known +example):\n%s", diff)
	}
	setting := regexp.MustCompile(`^\s*[a-z_]+: *[^ #]`)
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSuffix(line, "\n")
		if setting.MatchString(line) && !strings.Contains(line, "#") {
			t.Errorf("a setting without a comment: %s", line)
		}
	}
}

// keys is a configuration as YAML shows it.
func keys(t *testing.T, c Config) (m map[string]any) {
	t.Helper()
	text, err := yaml.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(text, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// names are the paths of all settings.
func names(prefix string, m map[string]any) map[string]bool {
	all := map[string]bool{}
	for k, v := range m {
		if below, ok := v.(map[string]any); ok {
			for n := range names(prefix+k+".", below) {
				all[n] = true
			}
			continue
		}
		all[prefix+k] = true
	}
	return all
}

func TestRelativePathsAreFromTheFile(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "t.yaml")
	list := filepath.Join(t.TempDir(), "a.txt")
	for _, name := range []string{list, filepath.Join(dir, "i.yaml")} {
		if err := os.WriteFile(name, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	text := "inventory: i.yaml\nenrich: {intel: {lists: [{name: a, file: " + list + "}]}}\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := LoadConfig(file)
	if err != nil {
		t.Fatal(err)
	}
	if want := filepath.Join(dir, "i.yaml"); c.Inventory != want {
		t.Errorf("inventory = %s, want %s", c.Inventory, want)
	}
	if got := c.Enrich.Intel.Lists[0].File; got != list {
		t.Errorf("list = %s", got)
	}
	if want := filepath.Join(dir, "data/clickhouse"); c.Storage.Embedded.DataDir != want {
		t.Errorf("data_dir = %s, want %s", c.Storage.Embedded.DataDir, want)
	}
}

func TestPasswordsFromTheEnvironment(t *testing.T) {
	file := filepath.Join(t.TempDir(), "t.yaml")
	text := "storage: {clickhouse: {password: of-the-file, reader_password: reader-of-the-file}}\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv(PasswordEnv, "of-the-environment")
	c, err := LoadConfig(file)
	if err != nil {
		t.Fatal(err)
	}
	if got := c.Storage.ClickHouse; got.Password != "of-the-environment" || got.ReaderPassword != "reader-of-the-file" {
		t.Errorf("passwords %q and %q", got.Password, got.ReaderPassword)
	}
}
