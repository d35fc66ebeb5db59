package storage

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2"

	"tapwatch/storage/sqltext"
)

// Codes of ClickHouse errors of queries (src/Common/ErrorCodes.cpp) that are put in
// words.
const (
	codeUnknownFunction     = 46
	codeUnknownIdentifier   = 47
	codeUnknownTable        = 60
	codeSyntaxError         = 62
	codeTooManyRows         = 158
	codeTimeoutExceeded     = 159
	codeTooSlow             = 160
	codeReadonly            = 164
	codeTooManyQueries      = 202
	codeMemoryLimitExceeded = 241
	codeDistributedSubquery = 288
	codeTooManyRowsOrBytes  = 396
	codeAccessDenied        = 497
)

// QueryError is what ClickHouse has against a query, in words for whoever asked it.
type QueryError struct {
	// Words say what is wrong and what to do.
	Words string
	// Place is where in the query; its Line is 0 where that is not known.
	Place sqltext.Place
	// Limit says that the query was well but took too long or too much.
	Limit bool
	// err is ClickHouse's own error.
	err error
}

// Error gives the words, and the line of the query with a caret below the place.
func (e *QueryError) Error() string {
	if e.Place.Line == 0 {
		return e.Words
	}
	line, caret := e.Place.Caret()
	return fmt.Sprintf("line %d, column %d: %s\n  %s\n  %s", e.Place.Line, e.Place.Column, e.Words, line, caret)
}

// Unwrap gives ClickHouse's own error.
func (e *QueryError) Unwrap() error { return e.err }

// Explain gives an error of ClickHouse about a query as a *QueryError; any other error,
// and nil, as it is.
func Explain(query string, err error) error {
	var known *QueryError
	var said *clickhouse.Exception
	if errors.As(err, &known) || !errors.As(err, &said) {
		return err
	}
	e := &QueryError{err: said}
	message := strings.TrimSpace(said.Message)
	switch said.Code {
	case codeSyntaxError:
		e.syntax(query, message)
	case codeUnknownIdentifier, codeUnknownTable, codeUnknownFunction:
		e.unknown(query, message)
	case codeAllConnectionTriesFailed:
		e.Words = awayWords(message) + ". To see what the others hold: SETTINGS skip_unavailable_shards = 1"
	case codeDistributedSubquery:
		e.Words = "each shard of the cluster has only a part of the table in IN or JOIN: write GLOBAL IN, GLOBAL JOIN"
	default:
		e.Words, e.Limit = limitWords(said.Code, message)
		if e.Words == "" {
			e.Words = otherWords(query, said.Code, message)
		}
	}
	return e
}

var failedAt = regexp.MustCompile(`(?s)failed at position (\d+) \((.*?)\)(?: \(line \d+, col \d+\))?: `)

// syntax finds the place, and leaves the grammar out that follows "Expected one of".
func (e *QueryError) syntax(query, message string) {
	m := failedAt.FindStringSubmatchIndex(message)
	if m == nil {
		e.Words = message
		return
	}
	position, err := strconv.Atoi(message[m[2]:m[3]])
	if err != nil {
		e.Words = message
		return
	}
	e.Place = sqltext.PlaceOf(query, position-1)
	e.Words = "the query cannot be understood from here on"
	switch token := message[m[4]:m[5]]; {
	case strings.Contains(message, "Multi-statements are not allowed"):
		e.Words = "several statements are not allowed here"
	case strings.Contains(message, "is not closed"):
		e.Words = "the quote is not closed"
	case strings.Contains(message, "Unmatched parentheses"):
		e.Words = "the parenthesis has no counterpart"
	case token == "end of query" || position > len(query):
		e.Words = "the query ends too early"
	default:
		e.Words += sqltext.MisspelledKeyword(query, position-1)
	}
	if strings.HasSuffix(message, ". Expected end of query") {
		e.Words += "; its end was expected"
	}
}

var (
	unknownName = regexp.MustCompile("(?:[`']([^`']+)[`']|Table (\\S+) does not exist)")
	maybeMeant  = regexp.MustCompile(`Maybe you meant:? ?(.*)$`)
)

// unknown is about a column, table or function that is not there.
func (e *QueryError) unknown(query, message string) {
	what := map[int32]string{codeUnknownIdentifier: "column", codeUnknownTable: "table", codeUnknownFunction: "function"}[e.err.(*clickhouse.Exception).Code]
	m := unknownName.FindStringSubmatch(message)
	if m == nil {
		e.Words = message
		return
	}
	name := m[1] + m[2]
	at, found := sqltext.FindName(query, name)
	if _, short, ok := strings.Cut(name, "."); !found && ok { // with the database in front
		if at, found = sqltext.FindName(query, short); found {
			name = short
		}
	}
	if found {
		e.Place = sqltext.PlaceOf(query, at)
	}
	e.Words = fmt.Sprintf("there is no %s %s", what, name)
	if meant := maybeMeant.FindStringSubmatch(message); meant != nil {
		e.Words += ". Maybe you meant: " + strings.NewReplacer("[", "", "]", "", "'", "", "?", "", ",", ", ").Replace(meant[1])
	}
}

var numberOf = regexp.MustCompile(`maximum: ([0-9.]+) ?(ms|sec\.|seconds|s)?`)

// limitWords are about a limit that the query met.
func limitWords(code int32, message string) (words string, limit bool) {
	const less = "Ask for less: a shorter time (received_at > now() - INTERVAL 1 HOUR), fewer columns, a LIMIT"
	switch code {
	case codeTimeoutExceeded, codeTooSlow:
		after := "its time limit"
		if m := numberOf.FindStringSubmatch(message); m != nil {
			after = "its time limit of " + m[1] + " " + m[2]
			if ms, err := strconv.ParseFloat(m[1], 64); err == nil && m[2] == "ms" {
				after = "its time limit of " + strconv.FormatFloat(ms/1000, 'f', -1, 64) + " s"
			}
		}
		return "the query was ended at " + after + ". " + less + ". Or allow more, up to 300 s: SETTINGS max_execution_time = 300", true
	case codeMemoryLimitExceeded:
		what, _, _ := strings.Cut(message, ". ")
		return "the query was ended because it needs too much memory (" + strings.TrimSuffix(what, ".") + "). " + less +
			", or approximate functions (uniq in the place of uniqExact, GROUP BY fewer columns). " +
			"To sort and group on disk: SETTINGS max_bytes_before_external_group_by = 200000000, max_bytes_before_external_sort = 200000000", true
	case codeTooManyRows, codeTooManyRowsOrBytes:
		return "the query was ended at a limit of rows or bytes (" + message + "). " + less + ", or a higher limit in SETTINGS", true
	case codeTooManyQueries:
		return "too many queries run at this time (" + message + "). Try again shortly", true
	}
	return "", false
}

// reading are the verbs of statements that only read.
var reading = []string{"SELECT", "WITH", "FROM", "SHOW", "DESCRIBE", "DESC", "EXPLAIN", "EXISTS", "VALUES"}

// otherWords are about a refusal, or ClickHouse's own words.
func otherWords(query string, code int32, message string) string {
	switch {
	case code != codeReadonly && code != codeAccessDenied:
		return message
	case !slices.Contains(reading, sqltext.ClausesOf(query).Verb):
		return "refused, for the session is read-only: it can neither write nor change tables, users or limits (ClickHouse: " + message + ")"
	case code == codeReadonly:
		return "refused, for the session is read-only (ClickHouse: " + message + ")"
	default:
		return "refused: the read-only user sees the tables of tapwatch and little else (ClickHouse: " + message + ")"
	}
}
