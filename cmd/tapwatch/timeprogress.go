package main

import (
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// timeProgress shows how far through a span of stored time a command has come.
type timeProgress struct {
	bar  *progressbar.ProgressBar
	from time.Time
}

// newTimeProgress shows a bar where a person looks on, and nothing in a log file.
func newTimeProgress(w io.Writer, what string, from, to time.Time) *timeProgress {
	minutes := int64(to.Sub(from) / time.Minute)
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return &timeProgress{progressbar.DefaultSilent(minutes), from}
	}
	bar := progressbar.NewOptions64(minutes, progressbar.OptionSetWriter(w), progressbar.OptionSetDescription(what),
		progressbar.OptionSetPredictTime(true), progressbar.OptionClearOnFinish(), progressbar.OptionThrottle(100*time.Millisecond))
	return &timeProgress{bar, from}
}

// reached tells that everything before done is done. What the bar cannot show is no
// reason to stop.
func (p *timeProgress) reached(done time.Time) {
	_ = p.bar.Set64(int64(done.Sub(p.from) / time.Minute))
}

func (p *timeProgress) close() { _ = p.bar.Close() }
