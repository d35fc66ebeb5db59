package storage

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

// layouts are the ways in which tables are made.
var layouts = map[string]layout{
	"single":     {},
	"cluster":    {cluster: "carrier"},
	"replicated": {cluster: "carrier", replicated: true},
}

// What every server is told is reviewed as it is told. Of a statement that names columns
// only the first line and what comes after them is kept.
func TestStatements(t *testing.T) {
	for name, at := range layouts {
		t.Run(name, func(t *testing.T) {
			migrations, err := loadMigrations(migrationFiles, "migrations", at)
			if err != nil {
				t.Fatal(err)
			}
			var s strings.Builder
			for _, m := range migrations {
				s.WriteString("-- " + m.name + "\n" + outline(m.statement) + "\n\n")
			}
			file := filepath.Join("testdata", "statements-"+name+".sql")
			if *update {
				if err := os.WriteFile(file, []byte(s.String()), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), s.String()); diff != "" {
				t.Errorf("statements (-%s +now; go test ./storage -run TestStatements -update):\n%s", file, diff)
			}
		})
	}
}

// outline leaves the columns of tables and the columns and queries of views out, which
// are the same in every layout.
func outline(statement string) string {
	first, rest, _ := strings.Cut(statement, "\n")
	if !strings.HasPrefix(statement, "CREATE TABLE") && !strings.HasPrefix(statement, "CREATE OR REPLACE TABLE") {
		var from []string
		for _, line := range strings.Split(rest, "\n") {
			if line = strings.TrimSpace(line); strings.HasPrefix(line, "FROM ") && strings.Contains(line, localSuffix) {
				from = append(from, "\n    … "+line)
			}
		}
		return first + strings.Join(from, "")
	}
	if at := strings.Index(rest, "ENGINE = "); at > 0 {
		return first + "\n…\n" + rest[at:]
	}
	return statement
}
