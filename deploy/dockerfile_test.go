package deploy_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func TestDockerfile(t *testing.T) {
	file := readFile(t, root+"/Dockerfile")
	stages := regexp.MustCompile(`(?m)^FROM (\S+)`).FindAllStringSubmatch(file, -1)
	if len(stages) < 2 {
		t.Fatal("the image is not built in stages")
	}
	for _, m := range stages {
		if !pinned.MatchString(m[1]) {
			t.Errorf("image %s is not pinned to a version", m[1])
		}
	}

	goVersion := regexp.MustCompile(`(?m)^go (\S+)$`).FindStringSubmatch(readFile(t, root+"/go.mod"))[1]
	if !strings.Contains(file, "FROM golang:"+goVersion+"-") {
		t.Errorf("the image is not built with go %s of go.mod", goVersion)
	}

	last := file[strings.LastIndex(file, "\nFROM "):]
	user := regexp.MustCompile(`(?m)^USER (\d+):`).FindStringSubmatch(last)
	if user == nil || user[1] == "0" {
		t.Error("the program runs as root")
	}
	for _, word := range []string{"libchdb", "node_modules"} {
		if strings.Contains(last, word) {
			t.Errorf("the image holds %s", word)
		}
	}
	if !strings.Contains(file, "npm ci --omit=optional") {
		t.Error("npm fetches the embedded engine too")
	}

	for _, m := range regexp.MustCompile(`(?m)^COPY ([^-].*) \S+$`).FindAllStringSubmatch(file, -1) {
		for _, source := range strings.Fields(m[1]) {
			if _, err := os.Stat(filepath.Join(root, source)); err != nil {
				t.Errorf("COPY %s: %v", source, err)
			}
		}
	}
}

// TestDockerIgnore keeps secrets and gigabytes out of the build's context.
func TestDockerIgnore(t *testing.T) {
	lines := strings.Fields(readFile(t, root+"/.dockerignore"))
	for _, want := range []string{".env", ".git", "data", "node_modules"} {
		if !strings.Contains(" "+strings.Join(lines, " ")+" ", " "+want+" ") {
			t.Errorf("%s is sent to Docker", want)
		}
	}
}

// TestConfiguration compares what tapwatch is told with what compose runs. Whether
// the program accepts the file is tested where the program is.
func TestConfiguration(t *testing.T) {
	file := readFile(t, "tapwatch.yaml")
	c := readCompose(t)
	tapwatch := c.Services["tapwatch"]
	mounted := map[string]bool{}
	for _, v := range tapwatch.Volumes {
		_, target, _ := strings.Cut(strings.TrimSuffix(v, ":ro"), ":")
		mounted[target] = true
	}
	if !mounted[tapwatch.Environment["TAPWATCH_CONFIG"]] {
		t.Errorf("TAPWATCH_CONFIG is %q, which is not mounted", tapwatch.Environment["TAPWATCH_CONFIG"])
	}
	inventory := regexp.MustCompile(`(?m)^inventory: (\S+)$`).FindStringSubmatch(file)
	if inventory == nil || !mounted[inventory[1]] {
		t.Errorf("inventory %v is not mounted", inventory)
	}
	for _, port := range regexp.MustCompile(`":(\d+)"`).FindAllStringSubmatch(file, -1) {
		if want := port[1] + ":" + port[1] + "/udp"; !strings.Contains(strings.Join(tapwatch.Ports, " "), want) {
			t.Errorf("the collector listens on %s, which is not published", port[1])
		}
	}
	users := readFile(t, "clickhouse/users.d/tapwatch.xml")
	for _, m := range regexp.MustCompile(`username: (\S+)`).FindAllStringSubmatch(file, -1) {
		if !strings.Contains(users, "<"+m[1]+">") {
			t.Errorf("ClickHouse has no user %q", m[1])
		}
	}
	for _, m := range regexp.MustCompile(`/usr/share/tapwatch/geo/\w+\.mmdb`).FindAllString(file, -1) {
		if !strings.Contains(readFile(t, root+"/Dockerfile"), "/out/geo/"+filepath.Base(m)) {
			t.Errorf("the image holds no %s", m)
		}
	}
}
