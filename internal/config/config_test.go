package config

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

type server struct {
	Port  int           `yaml:"port"`
	Every time.Duration `yaml:"every"`
}

type sample struct {
	Name    string   `yaml:"name"`
	Servers []server `yaml:"servers"`
}

func (s *sample) Validate() error {
	var all []error
	for i, v := range s.Servers {
		if v.Port > 65535 {
			all = append(all, Under(Index("servers", i), Invalid("port", "%d is above 65535", v.Port)))
		}
	}
	if s.Name == "" {
		all = append(all, Invalid("name", "is empty"))
	}
	return errors.Join(all...)
}

func TestDecode(t *testing.T) {
	for _, c := range []struct {
		name, yaml, want string
	}{
		{"good", "name: a\nservers:\n- port: 1\n  every: 5s\n", ""},
		{"unknown key", "name: a\nsevers: []\n", `f.yaml:2:1: unknown field "severs"`},
		{"wrong type", "name: a\nservers:\n- port: x\n", `f.yaml:3:9: "x" is not a whole number`},
		{"bad duration", "name: a\nservers:\n- every: soon\n", `f.yaml:3:10: servers[0].every: "soon" is not a duration: write a number with a unit, as in 500ms, 10s, 5m or 24h`},
		{"bad value", "name: a\nservers:\n- port: 1\n- port: 70000\n", "f.yaml:4:9: servers[1].port: 70000 is above 65535"},
		{"missing value", "servers: []\n", "f.yaml: name: is empty"},
		{"empty file", "# nothing\n", "f.yaml: name: is empty"},
		{"not yaml", "a: [\n", "f.yaml:1:4: sequence end token ']' not found"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := ""
			if err := Decode("f.yaml", []byte(c.yaml), &sample{}); err != nil {
				got = err.Error()
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestDecodeKeepsDefaults(t *testing.T) {
	s := sample{Name: "default"}
	if err := Decode("f.yaml", []byte("servers: []\n"), &s); err != nil || s.Name != "default" {
		t.Errorf("name = %q, err = %v", s.Name, err)
	}
}
