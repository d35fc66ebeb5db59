package main

import (
	"context"
	"slices"
	"strings"

	"tapwatch/storage"
)

const promptHelp = `A statement ends with a semicolon and may have several lines. Ctrl-C drops it, or cancels the query that runs.
  \d               the tables
  \d TABLE         the columns of a table, with what they mean
  \hunts           the hunts: saved questions
  \hunt NAME [PARAMETER=VALUE …]
                   run a hunt; without what it needs it says so
  \x               rows as lines, one for each column, and back
  exit, \q         leave, as Ctrl-D does
Tab completes tables, columns, functions, keywords and hunts; the arrow keys go through the history.
A query may end in SETTINGS max_execution_time = 300 (seconds) and in FORMAT name.
`

// command does what a line says that is no SQL.
func (p *prompt) command(ctx context.Context, line string) {
	name, rest, _ := strings.Cut(line, " ")
	rest = strings.TrimSpace(rest)
	switch name {
	case "help", `\?`, `\h`:
		p.sayf("%s", promptHelp)
	case `\d`:
		p.describe(ctx, rest)
	case `\hunts`:
		if err := (&huntListCommand{rowFormat{"table"}}).Run(&environment{stdio: stdio{out: p.terminal}, hunts: p.hunts}); err != nil {
			p.sayf("Error: %v\n", err)
		}
	case `\hunt`:
		p.hunt(ctx, rest)
	case `\x`:
		p.vertical = !p.vertical
		p.sayf("%s\n", map[bool]string{true: "Rows are shown as lines, one for each column.", false: "Rows are shown as a table."}[p.vertical])
	default:
		p.sayf("There is no command %s; help lists them.\n", name)
	}
}

// describe lists the tables, or the columns of one.
func (p *prompt) describe(ctx context.Context, table string) {
	q := storage.Question{
		SQL:        "SELECT name, if(engine = 'View', 'view', 'table') AS kind, comment FROM system.tables WHERE database = {database:String} AND NOT startsWith(name, '.') ORDER BY name",
		Parameters: map[string]string{"database": p.reader.Database()},
	}
	if table != "" {
		database, name, ok := strings.Cut(table, ".")
		if !ok {
			database, name = p.reader.Database(), table
		}
		q.SQL = "SELECT name, type, comment FROM system.columns WHERE database = {database:String} AND table = {table:String} ORDER BY position"
		q.Parameters = map[string]string{"database": database, "table": name}
		if known := p.words.tables; len(known) > 0 && !ok && !slices.Contains(known, name) {
			p.sayf("There is no table %s: %s\n", name, strings.Replace(suggest(name, known), "tapwatch hunt list names them", `\d lists them`, 1))
			return
		}
	}
	p.ask(ctx, q)
}

// hunt runs one, given its name and parameters.
func (p *prompt) hunt(ctx context.Context, line string) {
	given := strings.Fields(line)
	if len(given) == 0 {
		p.sayf("Which hunt? \\hunts lists them.\n")
		return
	}
	h, err := findHunt(p.hunts, given[0])
	if err != nil {
		p.sayf("Error: %v\n", err)
		return
	}
	q, err := bindHunt(h, given[1:], `\hunt %s %s`, "")
	if err != nil {
		p.sayf("Error: %v\n", err)
		return
	}
	p.ask(ctx, q)
}
