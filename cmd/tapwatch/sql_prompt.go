package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/term"

	"tapwatch/hunts"
	"tapwatch/storage"
	"tapwatch/storage/sqltext"
)

const (
	firstPrompt = "tapwatch> "
	morePrompt  = "       -> "
)

// prompt is `tapwatch sql` with a person at a terminal.
type prompt struct {
	reader  *storage.Reader
	hunts   []hunts.Hunt
	words   words
	history *history
	keys    *keys
	screen  io.Writer
	// size gives the width and height of the terminal; nil where nobody knows.
	size func() (width, height int, err error)

	terminal *term.Terminal
	vertical bool
	// typed are the lines of a statement that is not finished.
	typed string
}

// promptOn holds the prompt on the terminal of env, which it puts in raw mode meanwhile.
func promptOn(ctx context.Context, env *environment, reader *storage.Reader) error {
	in, out := env.in.(*os.File), env.out.(*os.File)
	before, err := term.MakeRaw(int(in.Fd()))
	if err != nil {
		return fmt.Errorf("prepare the terminal: %w", err)
	}
	defer term.Restore(int(in.Fd()), before)
	p := &prompt{
		reader: reader, hunts: env.hunts, keys: newKeys(in), screen: out,
		size: func() (int, int, error) { return term.GetSize(int(out.Fd())) },
	}
	file, err := historyFile()
	if err == nil {
		p.history, err = openHistory(file)
	} else {
		p.history = &history{}
	}
	p.open()
	if err != nil {
		p.sayf("The history is not kept: %v\n", err)
	}
	return p.run(ctx)
}

// open makes the terminal anew, as after a line that was given up.
func (p *prompt) open() {
	p.terminal = term.NewTerminal(readWriter{p.keys, p.screen}, firstPrompt)
	p.terminal.History = p.history
	p.terminal.AutoCompleteCallback = p.complete
	p.terminal.SetBracketedPasteMode(true)
}

type readWriter struct {
	io.Reader
	io.Writer
}

// run asks until the person leaves or ctx ends.
func (p *prompt) run(ctx context.Context) error {
	defer context.AfterFunc(ctx, p.keys.end)()
	defer func() { p.terminal.SetBracketedPasteMode(false) }()
	if err := p.welcome(ctx); err != nil {
		return err
	}
	for {
		line, err := p.line()
		switch {
		case errors.Is(err, errInterrupted):
			p.typed = ""
			continue
		case err != nil:
			fmt.Fprint(p.screen, "\r\n")
			return nil
		}
		if done := p.take(ctx, line); done {
			return nil
		}
	}
}

func (p *prompt) welcome(ctx context.Context) error {
	var version string
	if err := p.reader.QueryRow(ctx, "SELECT version()").Scan(&version); err != nil {
		return err
	}
	p.sayf("ClickHouse %s at %s, database %s, read-only. Type help for help; Ctrl-D or exit leaves.\n",
		version, strings.Join(p.reader.At.Addresses, ", "), p.reader.Database())
	var err error
	if p.words, err = readWords(ctx, p.reader, p.hunts); err != nil {
		p.sayf("Tab completes only keywords: %v\n", err)
	}
	return nil
}

var errInterrupted = errors.New("interrupted")

// line reads one line; errInterrupted says that Ctrl-C gave it up.
func (p *prompt) line() (string, error) {
	if p.size != nil {
		if width, height, err := p.size(); err == nil && width > 0 {
			p.terminal.SetSize(width, height)
		}
	}
	p.terminal.SetPrompt(firstPrompt)
	if p.typed != "" {
		p.terminal.SetPrompt(morePrompt)
	}
	line, err := p.terminal.ReadLine()
	switch {
	case errors.Is(err, term.ErrPasteIndicator):
		return line, nil
	case err != nil && p.keys.interrupted():
		fmt.Fprint(p.screen, "^C\r\n")
		p.open()
		return "", errInterrupted
	}
	return line, err
}

// take does what a line says, once it is complete; done says that the person leaves.
func (p *prompt) take(ctx context.Context, line string) (done bool) {
	if p.typed == "" {
		switch command := strings.TrimRight(strings.TrimSpace(line), "; "); {
		case command == "":
			return false
		case command == "exit" || command == "quit" || command == `\q`:
			return true
		case command == "help" || strings.HasPrefix(command, `\`):
			p.history.remember(command)
			p.command(ctx, command)
			return false
		}
	}
	p.typed += line + "\n"
	if !sqltext.Complete(p.typed) {
		return false
	}
	statements := sqltext.Split(p.typed)
	p.history.remember(sqltext.OneLine(p.typed))
	p.typed = ""
	for _, s := range statements {
		if !p.ask(ctx, storage.Question{SQL: s.Text}) {
			break
		}
	}
	return false
}

// ask shows what a query gives, and tells whether it went well. Ctrl-C ends the query.
func (p *prompt) ask(ctx context.Context, q storage.Question) bool {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer p.keys.onInterrupt(cancel)()
	began := time.Now()
	var count int
	var err error
	format := "table"
	if p.vertical {
		format = "vertical"
	}
	if len(q.Parameters) > 0 {
		count, err = writeAnswer(ctx, p.reader, q, p.terminal, format)
	} else {
		count, err = ask(ctx, p.reader, q.SQL, p.terminal, format)
	}
	took := time.Since(began).Round(time.Millisecond)
	switch {
	case ctx.Err() != nil:
		p.sayf("Cancelled after %s.\n", took)
	case err != nil:
		p.sayf("Error: %v\n", err)
	case count < 0:
		p.sayf("(%s)\n", took)
	case count == 1:
		p.sayf("(1 row, %s)\n", took)
	default:
		p.sayf("(%d rows, %s)\n", count, took)
	}
	return err == nil
}

// sayf writes to the screen; what cannot be shown is shown to nobody.
func (p *prompt) sayf(format string, args ...any) { fmt.Fprintf(p.terminal, format, args...) }
