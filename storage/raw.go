package storage

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2"
)

// ErrNoHTTP is given where nobody has said where ClickHouse's HTTP interface is.
var ErrNoHTTP = errors.New("the address of ClickHouse's HTTP interface is not known")

// Raw runs a query over ClickHouse's HTTP interface and copies what comes to w as it is,
// in the query's own FORMAT. Its error is as that of Ask. The query ends with ctx.
func (r *Reader) Raw(ctx context.Context, query string, w io.Writer) error {
	if r.At.HTTPAddress == "" {
		return ErrNoHTTP
	}
	request, err := r.rawRequest(ctx, query)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("ask clickhouse over HTTP: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return Explain(query, refusal(response))
	}
	tail := newTail(w, response.Header.Get("X-ClickHouse-Exception-Tag"))
	_, err = io.Copy(tail, response.Body)
	said, flushErr := tail.end()
	if said != nil {
		return Explain(query, said)
	}
	if err != nil {
		err = fmt.Errorf("read what clickhouse answers: %w", err)
	}
	return errors.Join(err, flushErr)
}

func (r *Reader) rawRequest(ctx context.Context, query string) (*http.Request, error) {
	values := url.Values{"database": {r.At.Database}}
	if r.readonly != 1 {
		values.Set("cancel_http_readonly_queries_on_client_close", "1")
	}
	if r.readonly == 0 {
		values.Set("readonly", "2")
	}
	at := url.URL{Scheme: "http", Host: r.At.HTTPAddress, Path: "/", RawQuery: values.Encode()}
	if r.At.Secure {
		at.Scheme = "https"
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, at.String(), strings.NewReader(query))
	if err != nil {
		return nil, fmt.Errorf("ask clickhouse over HTTP: %w", err)
	}
	request.Header.Set("X-ClickHouse-User", r.At.Username)
	request.Header.Set("X-ClickHouse-Key", r.At.Password)
	return request, nil
}

// maxRefusal bounds what is read of an answer that is no result; ClickHouse may have
// begun to write one before it failed.
const maxRefusal = 4 << 20

// refusal is the error that an answer with another status than 200 tells.
func refusal(response *http.Response) error {
	body, err := io.ReadAll(io.LimitReader(response.Body, maxRefusal))
	code, codeErr := strconv.ParseInt(response.Header.Get("X-ClickHouse-Exception-Code"), 10, 32)
	if codeErr != nil {
		return errors.Join(fmt.Errorf("clickhouse answers %s: %s", response.Status, bytes.TrimSpace(body)), err)
	}
	return exception(int32(code), string(body))
}

var (
	codeBefore   = regexp.MustCompile(`Code: (\d+)\. DB::Exception: `)
	versionAfter = regexp.MustCompile(`\s*\([A-Z_]+\)(?: \(version [^)]*\))?\s*$`)
)

// exception is an error as the native protocol gives it, of text as HTTP has it.
func exception(code int32, text string) *clickhouse.Exception {
	if all := codeBefore.FindAllStringIndex(text, -1); len(all) > 0 {
		text = text[all[len(all)-1][1]:]
	}
	return &clickhouse.Exception{Code: code, Message: versionAfter.ReplaceAllString(text, "")}
}
