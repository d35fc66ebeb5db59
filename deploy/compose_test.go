package deploy_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

// root is the folder of docker-compose.yml.
const root = ".."

// compose is docker-compose.yml, as far as the tests look at it. It is decoded
// strictly, so that a misspelt key is found without Docker.
type compose struct {
	Name     string             `yaml:"name"`
	Services map[string]service `yaml:"services"`
	Volumes  map[string]any     `yaml:"volumes"`
}

type service struct {
	Image string `yaml:"image"`
	Build struct {
		Context string            `yaml:"context"`
		Args    map[string]string `yaml:"args"`
	} `yaml:"build"`
	Command     []string                     `yaml:"command"`
	EnvFile     []string                     `yaml:"env_file"`
	Environment map[string]string            `yaml:"environment"`
	Volumes     []string                     `yaml:"volumes"`
	Ports       []string                     `yaml:"ports"`
	DependsOn   map[string]map[string]string `yaml:"depends_on"`
	Healthcheck struct {
		Test        []string `yaml:"test"`
		Interval    string   `yaml:"interval"`
		Timeout     string   `yaml:"timeout"`
		Retries     int      `yaml:"retries"`
		StartPeriod string   `yaml:"start_period"`
	} `yaml:"healthcheck"`
	Ulimits         map[string]any `yaml:"ulimits"`
	Restart         string         `yaml:"restart"`
	StopGracePeriod string         `yaml:"stop_grace_period"`
	ReadOnly        bool           `yaml:"read_only"`
	Tmpfs           []string       `yaml:"tmpfs"`
	CapDrop         []string       `yaml:"cap_drop"`
	SecurityOpt     []string       `yaml:"security_opt"`
}

func readCompose(t *testing.T) compose {
	t.Helper()
	var c compose
	if err := yaml.UnmarshalWithOptions([]byte(interpolate(t, readFile(t, root+"/docker-compose.yml"))), &c, yaml.Strict()); err != nil {
		t.Fatal(err)
	}
	return c
}

var reference = regexp.MustCompile(`\$\{(\w+)(?:(:[-?])([^}]*))?\}`)

// interpolate replaces ${NAME}, ${NAME:-default} and ${NAME:?message} as compose
// does, with the values of .env.example and, where those are empty, "secret".
func interpolate(t *testing.T, text string) string {
	t.Helper()
	values := readEnv(t, root+"/.env.example")
	return reference.ReplaceAllStringFunc(text, func(s string) string {
		m := reference.FindStringSubmatch(s)
		value, documented := values[m[1]]
		switch {
		case !documented:
			t.Errorf("%s is not explained in .env.example", m[1])
		case m[2] == ":-" && value != m[3]:
			t.Errorf("%s is %q by default, and %q in .env.example", m[1], m[3], value)
		case m[2] == ":?" && value != "":
			t.Errorf("%s is a secret, but .env.example holds one", m[1])
		case m[2] == ":?":
			return "secret"
		}
		return value
	})
}

// readEnv reads a file of NAME=VALUE lines.
func readEnv(t *testing.T, name string) map[string]string {
	t.Helper()
	values := map[string]string{}
	for line := range strings.Lines(readFile(t, name)) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		key, value, ok := strings.Cut(line, "=")
		if _, twice := values[key]; !ok || twice {
			t.Errorf("%s: %q is no setting of its own", name, line)
		}
		values[key] = strings.Trim(value, "'")
	}
	return values
}

var pinned = regexp.MustCompile(`^[a-z0-9./-]+:\d+\.\d+(\.\d+)*(-[a-z0-9.-]+)?$`)

func TestComposeIsSafeAndWhole(t *testing.T) {
	c := readCompose(t)
	for name, s := range c.Services {
		if s.Build.Context == "" && !pinned.MatchString(s.Image) {
			t.Errorf("%s: image %q is not pinned to a version", name, s.Image)
		}
		if len(s.Healthcheck.Test) < 2 || s.Healthcheck.Test[0] != "CMD" || s.Healthcheck.Interval == "" || s.Healthcheck.StartPeriod == "" {
			t.Errorf("%s: healthcheck %+v", name, s.Healthcheck)
		}
		if s.Restart != "unless-stopped" {
			t.Errorf("%s: restart %q", name, s.Restart)
		}
		for other, condition := range s.DependsOn {
			if _, ok := c.Services[other]; !ok || condition["condition"] != "service_healthy" {
				t.Errorf("%s depends on %s: %v", name, other, condition)
			}
		}
		for _, port := range s.Ports {
			if !strings.HasSuffix(port, "/udp") && !strings.HasPrefix(port, "127.0.0.1:") {
				t.Errorf("%s: port %s is open to other machines", name, port)
			}
		}
		for _, file := range s.EnvFile {
			readEnv(t, filepath.Join(root, file))
		}
		checkVolumes(t, c, name, s)
	}
	if want := []string{"clickhouse", "grafana", "tapwatch"}; !slices.Equal(keys(c.Services), want) {
		t.Errorf("services are %v, want %v", keys(c.Services), want)
	}
}

// checkVolumes says whether what is mounted exists, and cannot be written unless it
// is a volume.
func checkVolumes(t *testing.T, c compose, name string, s service) {
	t.Helper()
	for _, v := range s.Volumes {
		source, target, _ := strings.Cut(v, ":")
		target, mode, _ := strings.Cut(target, ":")
		if !strings.HasPrefix(target, "/") {
			t.Errorf("%s: volume %s has no absolute target", name, v)
		}
		if !strings.HasPrefix(source, ".") {
			if _, ok := c.Volumes[source]; !ok {
				t.Errorf("%s: volume %s is not declared", name, source)
			}
			continue
		}
		if _, err := os.Stat(filepath.Join(root, source)); err != nil || mode != "ro" {
			t.Errorf("%s: mount %s: mode %q, %v", name, v, mode, err)
		}
	}
}

// TestComposeFitsTogether checks names that have to be the same in several files.
func TestComposeFitsTogether(t *testing.T) {
	c := readCompose(t)
	grafana := c.Services["grafana"]
	settings := readEnv(t, root+"/deploy/grafana/grafana.env")

	datasource := readFile(t, root+"/dashboards/provisioning/datasources/clickhouse.yaml")
	for _, m := range regexp.MustCompile(`\$(\w+)`).FindAllStringSubmatch(datasource, -1) {
		if grafana.Environment[m[1]] == "" {
			t.Errorf("the data source needs %s, which grafana is not given", m[1])
		}
	}
	if users := readFile(t, "clickhouse/users.d/tapwatch.xml"); !strings.Contains(users, "<"+grafana.Environment["CLICKHOUSE_USER"]+">") {
		t.Errorf("ClickHouse has no user %q", grafana.Environment["CLICKHOUSE_USER"])
	}
	for _, m := range regexp.MustCompile(`from_env="(\w+)"`).FindAllStringSubmatch(readFile(t, "clickhouse/users.d/tapwatch.xml"), -1) {
		if c.Services["clickhouse"].Environment[m[1]] == "" {
			t.Errorf("ClickHouse's users need %s, which it is not given", m[1])
		}
	}

	version := strings.TrimPrefix(settings["GF_PLUGINS_PREINSTALL_SYNC"], "grafana-clickhouse-datasource@")
	provider := readFile(t, root+"/dashboards/provisioning/dashboards/tapwatch.yaml")
	mounted := false
	for _, v := range grafana.Volumes {
		source, target, _ := strings.Cut(strings.TrimSuffix(v, ":ro"), ":")
		if folder, ok := strings.CutPrefix(source, "./dashboards/"); !ok || folder == "provisioning" {
			continue
		}
		mounted = true
		if !strings.Contains(provider, "path: "+filepath.Dir(target)+"\n") {
			t.Errorf("dashboards are mounted at %s, which is not where Grafana looks", target)
		}
		home := settings["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
		board := readFile(t, filepath.Join(root, source, strings.TrimPrefix(home, target)))
		if !strings.Contains(board, `"pluginVersion": "`+version+`"`) {
			t.Errorf("the dashboards are not made for version %q of the plugin", version)
		}
	}
	if !mounted {
		t.Error("no dashboards are mounted")
	}
}

func keys[V any](m map[string]V) []string {
	var all []string
	for k := range m {
		all = append(all, k)
	}
	slices.Sort(all)
	return all
}
