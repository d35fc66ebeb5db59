package browser

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// Complaints collects what a page reports as wrong. Safe for concurrent use.
type Complaints struct {
	mu  sync.Mutex
	all []string
}

// Watch collects from now on the tab's console errors and warnings, uncaught
// exceptions, failed requests and violations of the content security policy.
func Watch(t testing.TB, tab context.Context) *Complaints {
	t.Helper()
	c := &Complaints{}
	err := chromedp.Listen(tab, func(event any) {
		switch e := event.(type) {
		case *runtime.EventConsoleAPICalled:
			if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeWarning {
				c.add("console: " + arguments(e.Args))
			}
		case *runtime.EventExceptionThrown:
			c.add("exception: " + exception(e.ExceptionDetails))
		case *log.EventEntryAdded:
			if e.Entry.Level == log.EntryLevelError || e.Entry.Level == log.EntryLevelWarning {
				c.add(fmt.Sprintf("%s: %s %s", e.Entry.Source, e.Entry.Text, e.Entry.URL))
			}
		case *network.EventLoadingFailed:
			if !e.Canceled {
				c.add("request failed: " + e.ErrorText)
			}
		}
	})
	if err != nil {
		t.Fatalf("browser: watch: %v", err)
	}
	if err := enable(tab); err != nil {
		t.Fatalf("browser: watch: %v", err)
	}
	return c
}

func exception(d *runtime.ExceptionDetails) string {
	what := d.Text
	if d.Exception != nil {
		what += " " + d.Exception.Description
	}
	return fmt.Sprintf("%s at %s:%d", what, d.URL, d.LineNumber+1)
}

func arguments(args []*runtime.RemoteObject) string {
	var words []string
	for _, a := range args {
		if len(a.Value) > 0 {
			words = append(words, string(a.Value))
			continue
		}
		words = append(words, a.Description)
	}
	return strings.Join(words, " ")
}

func (c *Complaints) add(what string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all = append(c.all, what)
}

// All gives what was collected so far.
func (c *Complaints) All() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]string(nil), c.all...)
}

// enable makes the tab report.
func enable(tab context.Context) error {
	if _, err := chromedp.Call(tab, runtime.Enable, cdp.Empty{}); err != nil {
		return err
	}
	if _, err := chromedp.Call(tab, log.Enable, cdp.Empty{}); err != nil {
		return err
	}
	_, err := chromedp.Call(tab, network.Enable, network.EnableParams{})
	return err
}
