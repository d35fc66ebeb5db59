package grafana

import (
	"strings"
	"testing"
	"time"
)

var hour = Range{From: time.Unix(3600, 0), To: time.Unix(7200, 0), Interval: time.Minute}

func TestInterpolate(t *testing.T) {
	for _, c := range []struct {
		name, sql, want string
		vars            Variables
	}{
		{"time filter", "$__timeFilter(at)", "at >= toDateTime(3600) AND at <= toDateTime(7200)", nil},
		{"milliseconds", "$__timeFilter_ms(at)", "at >= fromUnixTimestamp64Milli(3600000) AND at <= fromUnixTimestamp64Milli(7200000)", nil},
		{"bounds", "$__fromTime $__toTime $__fromTime_ms $__toTime_ms", "toDateTime(3600) toDateTime(7200) fromUnixTimestamp64Milli(3600000) fromUnixTimestamp64Milli(7200000)", nil},
		{"dates", "$__dateFilter(d) $__dt(d, t)", "d >= toDate('1970-01-01') AND d <= toDate('1970-01-01') (d >= toDate('1970-01-01') AND d <= toDate('1970-01-01')) AND (t >= toDateTime(3600) AND t <= toDateTime(7200))", nil},
		{"interval", "$__timeInterval(at)/$__interval_s", "toStartOfInterval(toDateTime(at), INTERVAL 60 second)/60", nil},
		{"nested", "$__timeInterval($__fromTime)", "toStartOfInterval(toDateTime(toDateTime(3600)), INTERVAL 60 second)", nil},
		{"comments", "a -- $__nothing\n/* $x */b '-- $ c'", "a \n b '-- $ c'", nil},
		{"literal in arguments", "$__timeFilter(f(a, ')'))", "f(a, ')') >= toDateTime(3600) AND f(a, ')') <= toDateTime(7200)", nil},
		{"all", "$__conditionalAll(x IN (f('a', 1)), $v)", "1=1", Variables{"v": All()}},
		{"empty", "$__conditionalAll(x, $v)", "1=1", Variables{"v": Text("")}},
		{"chosen", "$__conditionalAll(x IN (${v:singlequote}), $v)", "x IN ('a','O\\'B')", Variables{"v": List("a", "O'B")}},
		{"two conditions", "$__conditionalAll(x, $v) $__conditionalAll(y, $w)", "x 1=1", Variables{"v": Text("1"), "w": All()}},
		{"sqlstring", "${v:sqlstring}", "'O''B'", Variables{"v": Text("O'B")}},
		{"one of many, encoded", "'${v:percentencode}'", "'%7Ba%7D'", Variables{"v": List("a")}},
		{"hostile, encoded", "'${v:percentencode}'", "'%27%29%5C%24__x%20%2B%7B%7D%2Cü'", Variables{"v": Text(`')\$__x +{},` + "\u00fc")}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := Interpolate(c.sql, c.vars, hour)
			if want := strings.ReplaceAll(c.want, "ü", "%C3%BC"); err != nil || got != want {
				t.Errorf("got  %s (%v)\nwant %s", got, err, want)
			}
		})
	}
}

func TestInterpolateRefuses(t *testing.T) {
	for _, c := range []struct{ sql, want string }{
		{"SELECT ${nobody:percentencode}", "nobody is not defined"},
		{"$__conditionalAll(x, $nobody)", "nobody is not defined"},
		{"$__conditionalAll(x)", "not 1 arguments"},
		{"SELECT ${v}", "no format"},
		{"SELECT ${v:raw}", "not one that is safe"},
		{"SELECT $v", "$v is left"},
		{"$__adHocFilters('flows')", "no macro"},
		{"$__timeFilter(a, b)", "takes 1 arguments, not 2"},
		{"$__timeFilter(a", "do not close"},
		{"SELECT ${v:singlequote}", "$__fromTimes"},
	} {
		got, err := Interpolate(c.sql, Variables{"v": Text("$__fromTimes")}, hour)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %q, error %v; want an error with %q", c.sql, got, err, c.want)
		}
	}
}

func TestInterval(t *testing.T) {
	for _, c := range []struct{ length, min, want time.Duration }{
		{5 * time.Minute, 0, time.Second},
		{5 * time.Minute, time.Minute, time.Minute},
		{24 * time.Hour, 10 * time.Second, time.Minute},
		{30 * 24 * time.Hour, time.Minute, 30 * time.Minute},
		{20 * 365 * 24 * time.Hour, 0, 7 * 24 * time.Hour},
		{100 * 365 * 24 * time.Hour, 0, 30 * 24 * time.Hour},
	} {
		if got := Interval(c.length, 1000, c.min); got != c.want {
			t.Errorf("Interval(%v, 1000, %v) = %v, want %v", c.length, c.min, got, c.want)
		}
	}
}
