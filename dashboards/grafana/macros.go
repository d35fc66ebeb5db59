package grafana

import (
	"fmt"
	"regexp"
	"strings"
	"time"
)

// Range is the time range of a dashboard or of an alert rule's query.
type Range struct {
	From, To time.Time
	// Interval is the width of a bucket: $__interval.
	Interval time.Duration
}

// Interpolate gives the statement that ClickHouse sees: what the browser does,
// then what the plugin's backend does.
func Interpolate(sql string, vars Variables, r Range) (string, error) {
	sql, err := vars.Browser(sql)
	if err != nil {
		return "", err
	}
	return r.Backend(sql)
}

// leftover finds what Grafana or the plugin should have replaced.
var leftover = regexp.MustCompile(`\$[\w{]\S*`)

// Backend does what the plugin does in Grafana's server: it strips comments, then
// expands macros, the inner ones first. A dollar sign that is left is an error.
func (r Range) Backend(sql string) (string, error) {
	sql, err := r.expand(stripComments(sql))
	if err != nil {
		return "", err
	}
	if m := leftover.FindString(sql); m != "" {
		return "", fmt.Errorf("%s is left in the statement", m)
	}
	return sql, nil
}

var macroName = regexp.MustCompile(`\$__\w+`)

func (r Range) expand(sql string) (string, error) {
	var out strings.Builder
	for {
		at := macroName.FindStringIndex(sql)
		if at == nil {
			out.WriteString(sql)
			return out.String(), nil
		}
		name := sql[at[0]+len("$__") : at[1]]
		out.WriteString(sql[:at[0]])
		sql = sql[at[1]:]
		var args []string
		if strings.HasPrefix(sql, "(") {
			raw, rest, err := backendArgs(sql)
			if err != nil {
				return "", fmt.Errorf("$__%s: %w", name, err)
			}
			for _, a := range raw {
				if a, err = r.expand(strings.TrimSpace(a)); err != nil {
					return "", err
				}
				args = append(args, a)
			}
			sql = rest
		}
		text, err := r.macro(name, args)
		if err != nil {
			return "", err
		}
		out.WriteString(text)
	}
}

// backendArgs splits the arguments in the parentheses at the start of sql and
// returns what follows them. It skips string literals.
func backendArgs(sql string) (args []string, rest string, err error) {
	depth, from := 0, 1
	for i := 0; i < len(sql); i++ {
		switch c := sql[i]; c {
		case '\'', '"', '`':
			i = literalEnd(sql, i) - 1
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				if last := sql[from:i]; len(args) > 0 || strings.TrimSpace(last) != "" {
					args = append(args, last)
				}
				return args, sql[i+1:], nil
			}
		case ',':
			if depth == 1 {
				args = append(args, sql[from:i])
				from = i + 1
			}
		}
	}
	return nil, "", fmt.Errorf("its parentheses do not close")
}

func (r Range) macro(name string, args []string) (string, error) {
	want, ok := arity[name]
	if !ok {
		return "", fmt.Errorf("$__%s is no macro of the plugin's backend", name)
	}
	if len(args) != want {
		return "", fmt.Errorf("$__%s takes %d arguments, not %d", name, want, len(args))
	}
	switch name {
	case "fromTime":
		return seconds(r.From), nil
	case "toTime":
		return seconds(r.To), nil
	case "fromTime_ms":
		return millis(r.From), nil
	case "toTime_ms":
		return millis(r.To), nil
	case "timeFilter":
		return between(args[0], seconds(r.From), seconds(r.To)), nil
	case "timeFilter_ms":
		return between(args[0], millis(r.From), millis(r.To)), nil
	case "dateFilter":
		return between(args[0], day(r.From), day(r.To)), nil
	case "dateTimeFilter", "dt":
		return fmt.Sprintf("(%s) AND (%s)", between(args[0], day(r.From), day(r.To)),
			between(args[1], seconds(r.From), seconds(r.To))), nil
	case "timeInterval":
		return fmt.Sprintf("toStartOfInterval(toDateTime(%s), INTERVAL %d second)", args[0], r.intervalSeconds()), nil
	case "timeInterval_ms":
		return fmt.Sprintf("toStartOfInterval(toDateTime64(%s, 3), INTERVAL %d millisecond)", args[0], max(r.Interval.Milliseconds(), 1)), nil
	default: // interval_s, the last one of arity
		return fmt.Sprint(r.intervalSeconds()), nil
	}
}

// arity is the number of arguments of each macro.
var arity = map[string]int{
	"fromTime": 0, "toTime": 0, "fromTime_ms": 0, "toTime_ms": 0, "interval_s": 0,
	"timeFilter": 1, "timeFilter_ms": 1, "dateFilter": 1, "timeInterval": 1, "timeInterval_ms": 1,
	"dateTimeFilter": 2, "dt": 2,
}

func (r Range) intervalSeconds() int64 { return max(int64(r.Interval/time.Second), 1) }

func between(column, from, to string) string {
	return fmt.Sprintf("%s >= %s AND %s <= %s", column, from, column, to)
}

func seconds(t time.Time) string { return fmt.Sprintf("toDateTime(%d)", t.Unix()) }
func millis(t time.Time) string  { return fmt.Sprintf("fromUnixTimestamp64Milli(%d)", t.UnixMilli()) }
func day(t time.Time) string     { return fmt.Sprintf("toDate('%s')", t.Format(time.DateOnly)) }
