package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"tapwatch/hunts"
	"tapwatch/storage"
	"tapwatch/storage/sqltext"
)

// words are what Tab completes.
type words struct {
	tables, columns, functions, keywords, hunts []string
}

// readWords asks for the tables, columns and functions that the reader sees. With an
// error come the words that need no asking.
func readWords(ctx context.Context, reader *storage.Reader, all []hunts.Hunt) (words, error) {
	w := words{keywords: sqltext.Keywords()}
	for _, h := range all {
		w.hunts = append(w.hunts, h.Name)
	}
	for _, ask := range []struct {
		to    *[]string
		query string
	}{
		{&w.tables, "SELECT name FROM system.tables WHERE database = currentDatabase() AND NOT startsWith(name, '.') ORDER BY name"},
		{&w.columns, "SELECT DISTINCT name FROM system.columns WHERE database = currentDatabase() ORDER BY name"},
		{&w.functions, "SELECT name FROM system.functions WHERE match(name, '^[A-Za-z_][A-Za-z0-9_]*$') ORDER BY name"},
	} {
		answer, err := reader.Ask(ctx, storage.Question{SQL: ask.query})
		if err != nil {
			return w, err
		}
		if err := answer.Each(func(row []any) error {
			*ask.to = append(*ask.to, text(row[0]))
			return nil
		}); err != nil {
			return w, err
		}
	}
	return w, nil
}

// commands are those that begin with a backslash.
var commands = []string{`\d`, `\hunt`, `\hunts`, `\q`, `\x`}

// candidates are the words that begin as the end of before does, and that end.
func (w *words) candidates(before string) (found []string, typed string) {
	typed = before[strings.LastIndexFunc(before, func(r rune) bool { return !wordRune(r) })+1:]
	ahead := strings.Fields(before[:len(before)-len(typed)])
	last := ""
	if len(ahead) > 0 {
		last = strings.ToLower(ahead[len(ahead)-1])
	}
	switch {
	case strings.HasPrefix(before, `\`) && len(ahead) == 0:
		return starting(commands, typed), typed
	case last == `\d`:
		return starting(w.tables, typed), typed
	case len(ahead) > 0 && ahead[0] == `\hunt`:
		if len(ahead) > 1 {
			return nil, typed
		}
		return starting(w.hunts, typed), typed
	case last == "from" || last == "join" || last == "describe" || last == "table":
		return starting(w.tables, typed), typed
	case typed == "":
		return nil, typed
	}
	found = append(starting(w.columns, typed), starting(w.tables, typed)...)
	for _, k := range starting(w.keywords, typed) {
		if strings.ToLower(typed) == typed {
			k = strings.ToLower(k)
		}
		found = append(found, k)
	}
	for _, f := range starting(w.functions, typed) {
		found = append(found, f+"(")
	}
	return found, typed
}

func wordRune(r rune) bool {
	return r == '_' || r == '\\' || r == '-' || '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
}

// starting are the words with a beginning, whatever the case.
func starting(all []string, beginning string) []string {
	var found []string
	for _, w := range all {
		if len(w) >= len(beginning) && strings.EqualFold(w[:len(beginning)], beginning) {
			found = append(found, w)
		}
	}
	return found
}

const (
	tab = '\t'
	// mostListed is how many candidates are listed.
	mostListed = 60
)

// complete is what Tab does: it types what all candidates have in common, and lists them
// where that is nothing more.
func (p *prompt) complete(line string, pos int, key rune) (string, int, bool) {
	if key != tab {
		return "", 0, false
	}
	found, typed := p.words.candidates(line[:pos])
	slices.Sort(found)
	found = slices.Compact(found)
	if len(found) == 0 {
		return line, pos, true
	}
	next := common(found)
	if len(found) == 1 && !strings.HasSuffix(next, "(") {
		next += " "
	}
	if len(next) <= len(typed) && len(found) > 1 {
		p.list(found)
		return line, pos, true
	}
	begin := pos - len(typed)
	return line[:begin] + next + line[pos:], begin + len(next), true
}

// common is the longest beginning of all the words, in the case of the first.
func common(all []string) string {
	n := len(all[0])
	for _, w := range all[1:] {
		n = min(n, len(w))
		for !strings.EqualFold(w[:n], all[0][:n]) {
			n--
		}
	}
	return all[0][:n]
}

// list shows candidates in columns, in one write: the terminal paints the line anew
// after each.
func (p *prompt) list(found []string) {
	const columns = 4
	var shown strings.Builder
	table := tabwriter.NewWriter(&shown, 0, 0, 2, ' ', 0)
	for i, w := range found[:min(len(found), mostListed)] {
		end := "\t"
		if i%columns == columns-1 {
			end = "\n"
		}
		fmt.Fprint(table, w, end)
	}
	fmt.Fprintln(table)
	table.Flush()
	if more := len(found) - mostListed; more > 0 {
		fmt.Fprintf(&shown, "and %d more\n", more)
	}
	p.sayf("%s\n", strings.TrimRight(shown.String(), "\n "))
}
