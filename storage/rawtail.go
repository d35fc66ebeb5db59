package storage

import (
	"bytes"
	"io"
	"strconv"

	"github.com/ClickHouse/clickhouse-go/v2"
)

// tail copies to w all but the end of what is written, where ClickHouse puts its error
// if a query fails after it has begun to answer: between two marks with the tag of the
// answer (docs: interfaces/http, error handling).
type tail struct {
	w    io.Writer
	mark []byte // empty: the server marks nothing
	held []byte
}

// maxException is more than ClickHouse writes of an error.
const maxException = 64 << 10

func newTail(w io.Writer, tag string) *tail {
	t := &tail{w: w}
	if tag != "" {
		t.mark = []byte("__exception__\r\n" + tag + "\r\n")
	}
	return t
}

// Write copies what cannot belong to the end.
func (t *tail) Write(p []byte) (int, error) {
	if len(t.mark) == 0 {
		return t.w.Write(p)
	}
	t.held = append(t.held, p...)
	if len(t.held) <= 2*maxException {
		return len(p), nil
	}
	n := len(t.held) - maxException
	if _, err := t.w.Write(t.held[:n]); err != nil {
		return 0, err
	}
	t.held = append(t.held[:0], t.held[n:]...)
	return len(p), nil
}

// end copies the rest, and gives the error that stood there instead.
func (t *tail) end() (*clickhouse.Exception, error) {
	rest, text, failed := bytes.Cut(t.held, t.mark)
	if len(t.mark) == 0 || !failed {
		_, err := t.w.Write(t.held)
		return nil, err
	}
	_, err := t.w.Write(bytes.TrimSuffix(rest, []byte("\r\n")))
	text, _, _ = bytes.Cut(text, []byte("\r\n__exception__"))
	if i := bytes.LastIndexByte(bytes.TrimRight(text, "\r\n"), '\n'); i > 0 { // its length and the tag
		text = text[:i]
	}
	code := 0
	if m := codeBefore.FindSubmatch(text); m != nil {
		code, _ = strconv.Atoi(string(m[1])) // digits
	}
	return exception(int32(code), string(text)), err
}
