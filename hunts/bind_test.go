package hunts_test

import (
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"tapwatch/hunts"
	"tapwatch/internal/testkit"
)

var now = time.Date(2026, 3, 11, 22, 0, 0, 0, time.UTC)

// one is a hunt with a parameter p of that type.
func one(typ hunts.Type) hunts.Hunt {
	return hunts.Hunt{Name: "test", Params: []hunts.Param{{Name: "p", Type: typ, Required: true, Comment: "anything"}}}
}

func TestBind(t *testing.T) {
	for _, c := range []struct {
		typ         hunts.Type
		value, want string
	}{
		{hunts.String, "", ""},
		{hunts.String, `it's \ odd`, `it's \ odd`},
		{hunts.Address, "192.0.2.7", "::ffff:192.0.2.7"},
		{hunts.Address, "::ffff:192.0.2.7", "::ffff:192.0.2.7"},
		{hunts.Address, " 2001:DB8::7 ", "2001:db8::7"},
		{hunts.Prefix, "192.0.2.7/24", "192.0.2.0/24"},
		{hunts.Prefix, "192.0.2.7", "192.0.2.7/32"},
		{hunts.Prefix, "::ffff:192.0.2.7", "192.0.2.7/32"},
		{hunts.Prefix, "::ffff:192.0.2.0/120", "192.0.2.0/24"},
		{hunts.Prefix, "2001:db8::1", "2001:db8::1/128"},
		{hunts.Port, "0", "0"},
		{hunts.Port, "65535", "65535"},
		{hunts.Number, "18446744073709551615", "18446744073709551615"},
		{hunts.Time, "0s", "2026-03-11 22:00:00.000"},
		{hunts.Time, "90m", "2026-03-11 20:30:00.000"},
		{hunts.Time, "24h", "2026-03-10 22:00:00.000"},
		{hunts.Time, "30d", "2026-02-09 22:00:00.000"},
		{hunts.Time, "2w", "2026-02-25 22:00:00.000"},
		{hunts.Time, "1d12h", "2026-03-10 10:00:00.000"},
		{hunts.Time, "2026-03-01", "2026-03-01 00:00:00.000"},
		{hunts.Time, "2026-03-01 06:07:08", "2026-03-01 06:07:08.000"},
		{hunts.Time, "2026-03-01T06:00:00+02:00", "2026-03-01 04:00:00.000"},
		{hunts.Duration, "90s", "90"},
		{hunts.Duration, "1h30m", "5400"},
		{hunts.Duration, "2d", "172800"},
	} {
		got, err := one(c.typ).Bind(map[string]string{"p": c.value}, now)
		if err != nil || got["p"] != c.want {
			t.Errorf("%s %q is %q (error %v), want %q", c.typ, c.value, got["p"], err, c.want)
		}
	}
}

func TestBindRefuses(t *testing.T) {
	for _, c := range []struct {
		typ         hunts.Type
		value, want string
	}{
		{hunts.String, "\xff", "is not text"},
		{hunts.Address, "mdf3-1", `p: "mdf3-1" is not an IP address (192.0.2.7 or 2001:db8::7)`},
		{hunts.Address, "fe80::1%eth0", "is not an IP address"},
		{hunts.Address, "", "is not an IP address"},
		{hunts.Prefix, "192.0.2.0/33", "is neither an address prefix"},
		{hunts.Prefix, "::ffff:0.0.0.0/90", "is neither an address prefix"},
		{hunts.Port, "65536", `p: "65536" is not a port (0 to 65535)`},
		{hunts.Port, "ssh", "is not a port"},
		{hunts.Number, "-1", "is not a whole number of 0 or more"},
		{hunts.Number, "1.5", "is not a whole number"},
		{hunts.Time, "yesterday", `p: "yesterday" is neither a duration back from now (24h, 30d) nor a time (2026-03-01 or 2026-03-01T06:00:00Z)`},
		{hunts.Time, "-1h", "is neither a duration"},
		{hunts.Time, "1h later", "is neither a duration"},
		{hunts.Time, "", "is neither a duration"},
		{hunts.Time, "80w80w99999w", "is neither a duration"},
		{hunts.Time, "1066-10-14", "is the year 1066"},
		{hunts.Duration, "1.5h", "is not a duration of whole seconds (90s, 15m, 4h, 2d)"},
		{hunts.Duration, "999999w", "is not a duration"},
	} {
		got, err := one(c.typ).Bind(map[string]string{"p": c.value}, now)
		if err == nil || !strings.Contains(err.Error(), c.want) || got != nil {
			t.Errorf("%s %q is %v, error %v, want %q", c.typ, c.value, got, err, c.want)
		}
	}
}

func TestBindNamesWhatIsWrong(t *testing.T) {
	h, ok := hunts.Find("indicator-history")
	if !ok {
		t.Fatal("no hunt indicator-history")
	}
	for want, values := range map[string]map[string]string{
		"prefix: must be given: the indicator":                                                                         nil,
		"asset: indicator-history has no such parameter; it has prefix, since, until, limit":                           {"prefix": "::1", "asset": "x"},
		"since: 2026-03-11 21:00:00.000 UTC is not before until, 2026-03-10 22:00:00.000 UTC":                          {"prefix": "::1", "since": "1h", "until": "24h"},
		"zebra: indicator-history has no such parameter; it has prefix, since, until, limit\nprefix: must be given":    {"zebra": "1"},
		"ape: indicator-history has no such parameter; it has prefix, since, until, limit\nbear: indicator-history ha": {"prefix": "::1", "bear": "", "ape": ""},
	} {
		if _, err := h.Bind(values, now); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%v gives the error %v, want %s", values, err, want)
		}
	}
}

func TestBindCompletes(t *testing.T) {
	h, _ := hunts.Find("new-listeners")
	got, err := h.Bind(map[string]string{"zone": "li-east", "limit": "7"}, now)
	want := map[string]string{
		"zone": "li-east", "since": "2026-03-10 22:00:00.000", "until": "2026-03-11 22:00:00.000", "history": "2592000", "limit": "7",
	}
	if err != nil || !maps.Equal(got, want) {
		t.Errorf("%v, error %v, want %v", got, err, want)
	}
}

// TestDefaults: every hunt runs without a value where none is required, also where
// nothing is stored yet.
func TestDefaults(t *testing.T) {
	reader := testkit.Reader(t, testkit.Store(t))
	required := map[string]string{}
	for _, p := range []string{"asset", "zone"} {
		required[p] = "x"
	}
	required["prefix"], required["address"] = "192.0.2.0/24", "192.0.2.7"
	for _, h := range hunts.All() {
		values := map[string]string{}
		for _, p := range h.Params {
			if p.Required {
				values[p.Name] = required[p.Name]
			}
		}
		bound, err := h.Bind(values, now)
		if err != nil || len(bound) != len(h.Params) {
			t.Errorf("%s: %v, error %v", h.Name, bound, err)
		}
		var args []any
		for name, v := range bound {
			args = append(args, clickhouse.Named(name, v))
		}
		if rows := query(t, reader, h.SQL, args); len(rows) > 0 {
			t.Errorf("%s finds %v in an empty database", h.Name, rows)
		}
	}
}
