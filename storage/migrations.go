package storage

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"text/template"
)

//go:embed migrations/*.sql migrations/parts/*.sql
var migrationFiles embed.FS

// migration is one idempotent statement.
type migration struct {
	name, statement, checksum string
}

func newMigration(name, statement string) migration {
	sum := sha256.Sum256([]byte(statement))
	return migration{name, statement, hex.EncodeToString(sum[:])}
}

// replaces tells whether the statement may change after it was applied: it defines
// something without data anew, so applying it again is all there is to a change.
func (m migration) replaces() bool { return strings.HasPrefix(m.statement, "CREATE OR REPLACE ") }

// loadMigrations gives the migrations in order, as they are for the layout.
func loadMigrations(files fs.FS, dir string, at layout) ([]migration, error) {
	names, err := fs.Glob(files, path.Join(dir, "*.sql"))
	if err != nil {
		return nil, fmt.Errorf("list the migrations: %w", err)
	}
	slices.Sort(names)
	parts, err := loadParts(files, path.Join(dir, "parts"))
	if err != nil {
		return nil, err
	}
	var all []migration
	comments := map[string]string{}
	for _, name := range names {
		data, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, fmt.Errorf("read a migration: %w", err)
		}
		name = path.Base(name)
		statement, err := at.render(parts, name, strings.TrimSpace(string(data)))
		if err != nil {
			return nil, err
		}
		all = append(all, newMigration(name, statement))
		// A Distributed table has the columns that the local one had when it was made.
		over, err := at.distributed(statement, comments)
		if err != nil {
			return nil, fmt.Errorf("migration %s: %w", name, err)
		}
		if over != "" {
			all = append(all, newMigration(strings.TrimSuffix(name, ".sql")+".distributed", over))
		}
	}
	return all, nil
}

// loadParts gives what several migrations have in common, by the names of the files.
func loadParts(files fs.FS, dir string) (*template.Template, error) {
	parts := template.New("parts")
	names, err := fs.Glob(files, path.Join(dir, "*.sql"))
	if err == nil && len(names) > 0 {
		parts, err = parts.ParseFS(files, names...)
	}
	if err != nil {
		return nil, fmt.Errorf("read the parts of migrations: %w", err)
	}
	return parts, nil
}

// quoteName quotes an identifier.
func quoteName(name string) string {
	return "`" + strings.NewReplacer(`\`, `\\`, "`", "\\`").Replace(name) + "`"
}

// quoteText quotes a string.
func quoteText(text string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(text) + "'"
}
