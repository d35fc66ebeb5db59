package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"tapwatch/hunts"
	"tapwatch/internal/app"
	"tapwatch/storage"
	"tapwatch/storage/sqltext"
)

type huntCommand struct {
	List huntListCommand `cmd:"" help:"List the hunts."`
	Show huntShowCommand `cmd:"" help:"Say what a hunt finds, its parameters and its SQL."`
	Run  huntRunCommand  `cmd:"" help:"Run a hunt."`
}

// Help shows examples.
func (huntCommand) Help() string {
	return `A hunt is a saved question to the stored flows, with parameters.

Examples:

  tapwatch hunt list
  tapwatch hunt show asset-peers
  tapwatch hunt run asset-peers --param asset=mdf3-1 --param since=7d`
}

type huntListCommand struct{ rowFormat }

// Help shows examples.
func (huntListCommand) Help() string {
	return `Examples:

  tapwatch hunt list
  tapwatch hunt list --format json`
}

// Run lists every hunt.
func (c *huntListCommand) Run(env *environment) error {
	rows, err := newRowWriter(env.out, c.Format, []string{"name", "title", "techniques"})
	if err != nil {
		return err
	}
	for _, h := range env.hunts {
		var techniques []string
		for _, t := range h.Techniques {
			techniques = append(techniques, t.ID)
		}
		if err := rows.Row([]any{h.Name, h.Title, strings.Join(techniques, " ")}); err != nil {
			return err
		}
	}
	return rows.Close()
}

type huntShowCommand struct {
	Name string `arg:"" help:"The hunt, as list names it."`
}

// Help shows an example.
func (huntShowCommand) Help() string {
	return `Example:

  tapwatch hunt show asset-peers`
}

// Run shows one hunt.
func (c *huntShowCommand) Run(env *environment) error {
	h, err := findHunt(env.hunts, c.Name)
	if err != nil {
		return err
	}
	return showHunt(env.out, h)
}

type huntRunCommand struct {
	rowFormat
	Name    string   `arg:"" help:"The hunt, as list names it."`
	Param   []string `short:"p" help:"A parameter, as NAME=VALUE; may be given several times." placeholder:"NAME=VALUE" sep:"none"`
	ShowSQL bool     `name:"show-sql" help:"Print the query with the values set in, ready to paste, and do not run it."`
}

// Help shows examples.
func (huntRunCommand) Help() string {
	return `Runs read-only, as tapwatch sql does. tapwatch hunt show NAME lists the parameters.

Exit codes: 0 it ran, rows or not; 1 it failed; 2 no such hunt, or a parameter is missing or wrong.

Examples:

  tapwatch hunt run asset-peers --param asset=mdf3-1
  tapwatch hunt run asset-peers -p asset=mdf3-1 -p since=2026-03-01T00:00:00Z -p until=2026-03-02T00:00:00Z --format csv
  tapwatch hunt run asset-peers -p asset=mdf3-1 --show-sql | tapwatch sql`
}

// Run binds the parameters and asks.
func (c *huntRunCommand) Run(ctx context.Context, env *environment) error {
	h, err := findHunt(env.hunts, c.Name)
	if err != nil {
		return err
	}
	q, err := bindHunt(h, c.Param, "tapwatch hunt run %s %s", "--param ")
	if err != nil {
		return err
	}
	if c.ShowSQL {
		_, err := fmt.Fprintln(env.out, strings.TrimRight(sqltext.Fill(q.SQL, q.Parameters), "; \n")+";")
		return err
	}
	cfg, err := env.load()
	if err != nil {
		return err
	}
	return app.WithReader(ctx, cfg.Storage, env.logger, func(reader *storage.Reader) error {
		_, err := writeAnswer(ctx, reader, q, env.out, c.Format)
		return err
	})
}

// findHunt gives the hunt of that name, or says which is near.
func findHunt(all []hunts.Hunt, name string) (*hunts.Hunt, error) {
	var names []string
	for i := range all {
		if all[i].Name == name {
			return &all[i], nil
		}
		names = append(names, all[i].Name)
	}
	return nil, misuse{fmt.Errorf("there is no hunt %s: %s", name, suggest(name, names))}
}

// suggest says which of the names may be meant: one that a few typing mistakes turn into
// name, or those that have a word of it.
func suggest(name string, names []string) string {
	if near := sqltext.Nearest(name, names); near != "" {
		return "did you mean " + near + "?"
	}
	words := strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return r == '-' || r == '_' || r == ' ' })
	var like []string
	for _, n := range names {
		if slices.ContainsFunc(words, func(w string) bool { return len(w) > 2 && strings.Contains(n, w) }) {
			like = append(like, n)
		}
	}
	if len(like) > 0 {
		return "did you mean " + strings.Join(like, " or ") + "?"
	}
	return "tapwatch hunt list names them"
}

// bindHunt gives the question of a hunt with values of the form NAME=VALUE. An error ends
// with an example: command is filled with the hunt's name and its parameters, each behind
// flag.
func bindHunt(h *hunts.Hunt, given []string, command, flag string) (storage.Question, error) {
	values := map[string]string{}
	var wrong []error
	for _, p := range given {
		name, value, ok := strings.Cut(p, "=")
		if _, twice := values[name]; twice {
			wrong = append(wrong, fmt.Errorf("%s: is given twice", name))
		}
		if !ok {
			wrong = append(wrong, fmt.Errorf("%q is no parameter: write NAME=VALUE", p))
		}
		values[name] = value
	}
	if len(wrong) == 0 {
		bound, err := h.Bind(values, time.Now())
		if err == nil {
			return storage.Question{SQL: h.SQL, Parameters: bound}, nil
		}
		wrong = append(wrong, err)
	}
	example := fmt.Sprintf(command, h.Name, huntExample(h, flag))
	return storage.Question{}, misuse{errors.Join(append(wrong, fmt.Errorf("for example: %s", strings.TrimSpace(example)))...)}
}
