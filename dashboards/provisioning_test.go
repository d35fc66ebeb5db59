package dashboards_test

import (
	"os"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
)

// strictly decodes a provisioning file. Grafana ignores keys that it does not
// know, so a misspelt one must be found here.
func strictly(t *testing.T, file string, dst any) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.UnmarshalWithOptions(data, dst, yaml.Strict()); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}

func TestDatasource(t *testing.T) {
	var file struct {
		APIVersion  int `yaml:"apiVersion"`
		Datasources []struct {
			Name           string            `yaml:"name"`
			UID            string            `yaml:"uid"`
			Type           string            `yaml:"type"`
			IsDefault      bool              `yaml:"isDefault"`
			Editable       bool              `yaml:"editable"`
			JSONData       map[string]string `yaml:"jsonData"`
			SecureJSONData map[string]string `yaml:"secureJsonData"`
		} `yaml:"datasources"`
	}
	strictly(t, "provisioning/datasources/clickhouse.yaml", &file)
	if file.APIVersion != 1 || len(file.Datasources) != 1 {
		t.Fatalf("apiVersion %d with %d data sources", file.APIVersion, len(file.Datasources))
	}
	d := file.Datasources[0]
	if d.UID != linter(t).Datasource || d.Type != "grafana-clickhouse-datasource" {
		t.Errorf("uid %q of type %q is not what the dashboards use", d.UID, d.Type)
	}
	want := map[string]string{
		"host": "$CLICKHOUSE_HOST", "port": "$CLICKHOUSE_PORT", "protocol": "native", "username": "$CLICKHOUSE_USER",
		"defaultDatabase": "tapwatch", "dialTimeout": "10", "queryTimeout": "30",
	}
	if diff := cmp.Diff(want, d.JSONData); diff != "" {
		t.Errorf("jsonData (-want +got):\n%s", diff)
	}
	if d.SecureJSONData["password"] != "$CLICKHOUSE_PASSWORD" {
		t.Error("the password does not come from the environment")
	}
}

func TestDashboardProvider(t *testing.T) {
	var file struct {
		APIVersion int `yaml:"apiVersion"`
		Providers  []struct {
			Name                  string `yaml:"name"`
			Type                  string `yaml:"type"`
			AllowUIUpdates        bool   `yaml:"allowUiUpdates"`
			DisableDeletion       bool   `yaml:"disableDeletion"`
			UpdateIntervalSeconds int    `yaml:"updateIntervalSeconds"`
			Options               struct {
				Path                      string `yaml:"path"`
				FoldersFromFilesStructure bool   `yaml:"foldersFromFilesStructure"`
			} `yaml:"options"`
		} `yaml:"providers"`
	}
	strictly(t, "provisioning/dashboards/tapwatch.yaml", &file)
	if file.APIVersion != 1 || len(file.Providers) != 1 {
		t.Fatalf("apiVersion %d with %d providers", file.APIVersion, len(file.Providers))
	}
	p := file.Providers[0]
	if p.Type != "file" || p.Options.Path == "" || !p.Options.FoldersFromFilesStructure || p.UpdateIntervalSeconds <= 10 {
		t.Errorf("provider is %+v", p)
	}
}

func TestAlertRulesStandInAFolderOfDashboards(t *testing.T) {
	for _, f := range alertFiles(t) {
		for _, g := range f.Groups {
			if info, err := os.Stat(g.Folder); err != nil || !info.IsDir() {
				t.Errorf("%s: folder %q of group %q holds no dashboards: %v", f.File, g.Folder, g.Name, err)
			}
		}
	}
}
