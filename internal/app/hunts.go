package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"tapwatch/console"
	"tapwatch/storage"
)

// huntTimeout is how long a hunt of the console may take; the console's own patience is
// longer.
const huntTimeout = 60 * time.Second

// hunter runs the console's hunts as the read-only user. It opens the store when the
// first hunt comes, so that a reader who may not in does not keep the collector from
// its work (console.Hunter).
type hunter struct {
	logger *slog.Logger
	// at is where the store is; nil until ClickHouse answers.
	at atomic.Pointer[storage.Endpoint]

	mu     sync.Mutex
	reader *storage.Reader
}

// Hunt runs a query and reads at most maxRows rows of it.
func (h *hunter) Hunt(ctx context.Context, query string, values map[string]string, maxRows int) (console.HuntRows, error) {
	var found console.HuntRows
	reader, err := h.open(ctx)
	if err != nil {
		return found, err
	}
	answer, err := reader.Ask(ctx, storage.Question{SQL: query, Parameters: values, MaxRows: maxRows, Timeout: huntTimeout})
	if err != nil {
		return found, huntError(err)
	}
	for _, c := range answer.Columns {
		found.Columns = append(found.Columns, console.HuntColumn{Name: c.Name, Type: c.Type})
	}
	err = answer.Each(func(row []any) error {
		found.Rows = append(found.Rows, row)
		return nil
	})
	found.Truncated = answer.Truncated
	return found, huntError(err)
}

func huntError(err error) error {
	var query *storage.QueryError
	if errors.As(err, &query) {
		return &console.HuntError{Words: query.Words, Limit: query.Limit, Err: err}
	}
	return err
}

func (h *hunter) open(ctx context.Context) (*storage.Reader, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.reader != nil {
		return h.reader, nil
	}
	at := h.at.Load()
	if at == nil {
		return nil, errNotReady
	}
	ctx, cancel := context.WithTimeout(ctx, readerPatience)
	defer cancel()
	reader, err := storage.OpenReader(ctx, *at, h.logger)
	if err != nil {
		return nil, fmt.Errorf("open the store for hunts: %w", err)
	}
	h.reader = reader
	return reader, nil
}

// close ends the connections; no hunt may come after it.
func (h *hunter) close() error {
	h.at.Store(nil)
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.reader == nil {
		return nil
	}
	err := h.reader.Close()
	h.reader = nil
	return err
}
