package embedded

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func TestConfig(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*Config)
		want   string
	}{
		{"default", func(*Config) {}, ""},
		{"no directory", func(c *Config) { c.DataDir = "" }, "data_dir: is empty"},
		{"same ports", func(c *Config) { c.TCPPort, c.HTTPPort = 9000, 9000 }, "http_port: is the same as tcp_port, 9000"},
		{"little memory", func(c *Config) { c.MaxMemoryBytes = 1000 }, "max_memory_bytes: 1000 is below 536870912 (512 MiB)"},
		{"no days", func(c *Config) { c.SystemLogDays = 0 }, "system_log_days: 0 is below 1"},
	} {
		cfg := DefaultConfig()
		c.change(&cfg)
		got := ""
		if err := cfg.Validate(); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s: error %q, want %q", c.name, got, c.want)
		}
	}
}

func TestFindLibrary(t *testing.T) {
	pkg := libraryPackages[runtime.GOOS+"/"+runtime.GOARCH]
	if pkg == "" {
		t.Fatalf("no library is known for %s/%s", runtime.GOOS, runtime.GOARCH)
	}
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	below := filepath.Join(root, "a", "b")
	library := filepath.Join(root, "node_modules", "@chdb", pkg, "libchdb.so")
	for _, dir := range []string{below, filepath.Dir(library)} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(below)
	t.Setenv(LibraryEnv, "")

	_, err = FindLibrary("")
	for _, part := range []string{"run `make setup`", "storage.embedded.library", LibraryEnv, library, filepath.Join(below, "node_modules")} {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("error of a missing library %v does not say %q", err, part)
		}
	}
	if err := os.WriteFile(library, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := FindLibrary(""); err != nil || got != library {
		t.Errorf("FindLibrary = %q, %v, want %q", got, err, library)
	}
	other := filepath.Join(root, "other.so")
	t.Setenv(LibraryEnv, other)
	if _, err := FindLibrary(""); err == nil || !strings.Contains(err.Error(), "given by "+LibraryEnv+", does not exist") {
		t.Errorf("error of a wrong %s: %v", LibraryEnv, err)
	}
	if got, err := FindLibrary(library); err != nil || got != library {
		t.Errorf("the configured library: %q, %v", got, err)
	}
}
