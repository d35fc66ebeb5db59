package grafana

import (
	"strings"
	"time"
)

// stripComments blanks SQL comments outside literals: -- to the end of the line,
// and /* … */.
func stripComments(sql string) string {
	var out strings.Builder
	for i := 0; i < len(sql); {
		switch rest := sql[i:]; {
		case strings.ContainsRune("'\"`", rune(sql[i])):
			end := literalEnd(sql, i)
			out.WriteString(sql[i:end])
			i = end
		case strings.HasPrefix(rest, "--"):
			if n := strings.IndexByte(rest, '\n'); n >= 0 {
				i += n
			} else {
				i = len(sql)
			}
		case strings.HasPrefix(rest, "/*"):
			if n := strings.Index(rest, "*/"); n >= 0 {
				i += n + len("*/")
			} else {
				i = len(sql)
			}
			out.WriteByte(' ')
		default:
			out.WriteByte(sql[i])
			i++
		}
	}
	return out.String()
}

// literalEnd gives the index after the quoted text that opens at index start. A
// backslash and a doubled quote continue it, as in ClickHouse.
func literalEnd(sql string, start int) int {
	quote := sql[start]
	for i := start + 1; i < len(sql); i++ {
		switch {
		case sql[i] == '\\':
			i++
		case sql[i] != quote:
		case i+1 < len(sql) && sql[i+1] == quote:
			i++
		default:
			return i + 1
		}
	}
	return len(sql)
}

// steps are the widths of a bucket that Grafana chooses from, each with the
// width from which on the next one is taken (rangeutil.roundInterval).
var steps = []struct{ below, width time.Duration }{
	{1500 * time.Millisecond, time.Second},
	{3500 * time.Millisecond, 2 * time.Second},
	{7500 * time.Millisecond, 5 * time.Second},
	{12500 * time.Millisecond, 10 * time.Second},
	{17500 * time.Millisecond, 15 * time.Second},
	{25 * time.Second, 20 * time.Second},
	{45 * time.Second, 30 * time.Second},
	{90 * time.Second, time.Minute},
	{210 * time.Second, 2 * time.Minute},
	{450 * time.Second, 5 * time.Minute},
	{750 * time.Second, 10 * time.Minute},
	{1050 * time.Second, 15 * time.Minute},
	{25 * time.Minute, 20 * time.Minute},
	{45 * time.Minute, 30 * time.Minute},
	{90 * time.Minute, time.Hour},
	{150 * time.Minute, 2 * time.Hour},
	{270 * time.Minute, 3 * time.Hour},
	{9 * time.Hour, 6 * time.Hour},
	{24 * time.Hour, 12 * time.Hour},
	{7 * 24 * time.Hour, 24 * time.Hour},
	{21 * 24 * time.Hour, 7 * 24 * time.Hour},
}

// Interval gives the $__interval of a panel about points pixels wide that shows
// length: at least min, which the panel sets, and never below a second.
func Interval(length time.Duration, points int, min time.Duration) time.Duration {
	raw := length / time.Duration(points)
	width := 30 * 24 * time.Hour
	for _, s := range steps {
		if raw < s.below {
			width = s.width
			break
		}
	}
	return max(width, min, time.Second)
}
