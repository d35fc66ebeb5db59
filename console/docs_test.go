package console_test

import (
	"context"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"tapwatch/collector"
)

// TestDocumentedRequests runs every curl command of docs/api.md.
func TestDocumentedRequests(t *testing.T) {
	doc, err := os.ReadFile("../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	commands := regexp.MustCompile(`(?m)^curl .*$`).FindAllString(string(doc), -1)
	if len(commands) < 10 {
		t.Fatalf("found only %d commands", len(commands))
	}
	f := sampled(time.Now())
	base, _ := f.start(t)
	for _, command := range commands {
		if got := documentedStatus(t, command, base); got != http.StatusOK && got != http.StatusCreated {
			t.Errorf("%s: status %d", command, got)
		}
	}
}

var (
	documentedURL    = regexp.MustCompile(`http://127\.0\.0\.1:8080([^' ]*)`)
	documentedHeader = regexp.MustCompile(`-H '([^:']+): ([^']*)'`)
	documentedJSON   = regexp.MustCompile(`--json '([^']*)'`)
	documentedFlags  = regexp.MustCompile(`^curl( -N| -H '[^']*'| -X DELETE| --json '[^']*')* '?http[^ ]*$`)
)

// documentedStatus sends what a curl command would send, to base.
func documentedStatus(t *testing.T, command, base string) int {
	t.Helper()
	path := documentedURL.FindStringSubmatch(command)
	if path == nil || !documentedFlags.MatchString(command) {
		t.Fatalf("cannot run %q", command)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	method, body := http.MethodGet, ""
	if strings.Contains(command, " -X DELETE ") {
		method = http.MethodDelete
	}
	sent := documentedJSON.FindStringSubmatch(command)
	if sent != nil {
		method, body = http.MethodPost, sent[1]
	}
	r, err := http.NewRequestWithContext(ctx, method, base+path[1], strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if sent != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	for _, header := range documentedHeader.FindAllStringSubmatch(command, -1) {
		r.Header.Set(header[1], header[2])
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	return answer.StatusCode
}

// TestEveryRouteIsDocumented holds the table of paths against the routes.
func TestEveryRouteIsDocumented(t *testing.T) {
	doc, err := os.ReadFile("../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("routes.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`mux\.Handle(?:Func)?\("([^"]+)"`).FindAllStringSubmatch(string(source), -1) {
		path := strings.TrimSuffix(m[1], "{$}")
		if !strings.HasPrefix(path, "/assets/") && !strings.Contains(string(doc), "`"+path+"`") {
			t.Errorf("docs/api.md does not mention %s", path)
		}
	}
}

// TestEveryCollectorMetricIsDocumented holds docs/api.md against the metrics and the
// reasons of the collector.
func TestEveryCollectorMetricIsDocumented(t *testing.T) {
	doc, err := os.ReadFile("../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for file, metric := range map[string]struct{ prefix, call string }{
		"../collector/metrics.go": {"", "desc"}, "../collector/state.go": {"state_", "(?:counter|gauge)"},
	} {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(metric.call+`\("([a-z_]+)", +"`).FindAllStringSubmatch(string(source), -1) {
			found++
			if !regexp.MustCompile("`tapwatch_collector_" + metric.prefix + m[1] + "[`{]").Match(doc) {
				t.Errorf("docs/api.md does not mention tapwatch_collector_%s%s", metric.prefix, m[1])
			}
		}
	}
	if found < 20 {
		t.Errorf("found only %d metrics", found)
	}
	for r := range collector.Reasons {
		if !strings.Contains(string(doc), "\n| `"+r.String()+"` |") {
			t.Errorf("docs/api.md does not explain the reason %s", r)
		}
	}
}
