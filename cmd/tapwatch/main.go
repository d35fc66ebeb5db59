// Command tapwatch collects flow exports from routers, stores them in ClickHouse
// and raises alerts on unusual flows toward lawful-intercept and core systems.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"tapwatch/hunts"
	"tapwatch/internal/app"
	"tapwatch/internal/config"
	"tapwatch/storage/embedded"
)

// version is set by the linker.
var version = "unknown"

// Exit codes of every command.
const (
	exitGood   = 0
	exitFailed = 1
	exitMisuse = 2
)

func main() {
	embedded.Main()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], stdio{os.Stdin, os.Stdout, os.Stderr})
	stop()
	os.Exit(code)
}

// stdio is what a command reads and writes: data goes to out, progress and logs
// to err.
type stdio struct {
	in       io.Reader
	out, err io.Writer
}

// cli is the command line. Every command is a struct of its own file.
type cli struct {
	Config    string `short:"c" help:"Configuration file; without it tapwatch.yaml, where there is one. A setting that is not written has its default." placeholder:"FILE" env:"TAPWATCH_CONFIG"`
	LogLevel  string `help:"Least level that is logged: debug, info, warn or error; by default info for run, else warn." enum:",debug,info,warn,error" default:"" placeholder:"LEVEL" env:"TAPWATCH_LOG_LEVEL"`
	LogFormat string `help:"How log lines look: text or json." enum:"text,json" default:"text" env:"TAPWATCH_LOG_FORMAT"`

	Run      runCommand      `cmd:"" help:"Collect, store, detect and serve the NOC page."`
	Demo     demoCommand     `cmd:"" help:"Run everything on a simulated carrier network under attack."`
	Replay   replayCommand   `cmd:"" help:"Store the flow exports of capture files with the captures' times."`
	Backtest backtestCommand `cmd:"" help:"Run the detectors over stored flows, with the rules in force or with others."`
	Baseline baselineCommand `cmd:"" help:"What the detectors learn from: how far they are from ready, and making it anew."`
	Evaluate evaluateCommand `cmd:"" help:"Measure the detectors on generated campaigns: what they find, how soon, and what they raise for nothing."`
	Simulate simulateCommand `cmd:"" help:"Export the flows of a simulated carrier network to a collector or a capture file."`
	SQL      sqlCommand      `cmd:"" name:"sql" help:"Ask the stored flows and alerts in SQL, read-only."`
	Hunt     huntCommand     `cmd:"" help:"List, show and run saved questions to the stored flows."`
	Doctor   doctorCommand   `cmd:"" help:"Say what each exporter sends and what is wrong with it."`
	Check    checkCommand    `cmd:"" help:"Validate the configuration and every file it names."`
	Migrate  migrateCommand  `cmd:"" help:"Bring the tables of ClickHouse up to date."`
	Version  versionCommand  `cmd:"" help:"Print the version."`
}

// environment is what every command gets.
type environment struct {
	stdio
	configFile string
	logger     *slog.Logger
	// hunts are those of tapwatch hunt, by name.
	hunts []hunts.Hunt
}

// load reads the configuration, or takes the defaults where no file is named and
// none is in the working directory.
func (e *environment) load() (app.Config, error) {
	cfg, err := app.LoadConfig(e.configFile)
	if err != nil {
		return cfg, misuse{err}
	}
	return cfg, nil
}

// misuse marks an error as the user's: a wrong flag or a mistake in a file.
type misuse struct{ error }

func (m misuse) Unwrap() error { return m.error }

// run parses args and runs the command they name; it returns the exit code.
func run(ctx context.Context, args []string, std stdio) int {
	var c cli
	exited := -1
	parser, err := kong.New(&c,
		kong.Name("tapwatch"),
		kong.Description("Watches a carrier's network for intruders who reach for its wiretap and core systems."),
		kong.Writers(std.out, std.err),
		kong.Exit(func(code int) { exited = code }),
		kong.UsageOnError(),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.BindTo(ctx, (*context.Context)(nil)),
	)
	if err != nil {
		fmt.Fprintln(std.err, "tapwatch:", err)
		return exitFailed
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	parsed, err := parser.Parse(args)
	if exited >= 0 {
		return exited
	}
	if err != nil {
		fmt.Fprintf(std.err, "tapwatch: %v\nTry: tapwatch --help\n", err)
		return exitMisuse
	}
	err = parsed.Run(&environment{stdio: std, configFile: c.Config, logger: newLogger(std.err, c.logLevel(parsed.Command()), c.LogFormat), hunts: hunts.All()})
	return report(std.err, err)
}

// report prints err, a line for each that is joined in it, and gives the exit code. A
// line that begins with spaces belongs to the one before.
func report(w io.Writer, err error) int {
	if err == nil {
		return exitGood
	}
	for line := range strings.Lines(err.Error()) {
		if !strings.HasPrefix(line, "  ") {
			line = "tapwatch: " + line
		}
		fmt.Fprintln(w, strings.TrimSuffix(line, "\n"))
	}
	var m misuse
	var c *config.Error
	if errors.As(err, &m) || errors.As(err, &c) {
		return exitMisuse
	}
	return exitFailed
}

// logLevel is the level asked for, or what suits the command: who types a command
// that answers and ends wants the answer.
func (c *cli) logLevel(command string) slog.Level {
	var l slog.Level
	switch err := l.UnmarshalText([]byte(c.LogLevel)); {
	case err == nil:
		return l
	case command == "run":
		return slog.LevelInfo
	default:
		return slog.LevelWarn
	}
}

func newLogger(w io.Writer, level slog.Level, format string) *slog.Logger {
	options := &slog.HandlerOptions{Level: level}
	if format == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}
