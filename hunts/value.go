package hunts

import (
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// kind is what a type is in ClickHouse, and how a value that somebody typed becomes
// the text of a parameter. Its error begins with the value, in quotes.
type kind struct {
	clickhouse string
	read       func(text string, now time.Time) (string, error)
}

// kinds has every type.
var kinds = map[Type]kind{
	String:   {"String", readString},
	Address:  {"IPv6", readAddress},
	Prefix:   {"String", readPrefix},
	Port:     {"UInt16", readPort},
	Number:   {"UInt64", readNumber},
	Time:     {"DateTime64(3, 'UTC')", readTime},
	Duration: {"UInt64", readDuration},
}

func readString(text string, _ time.Time) (string, error) {
	if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
		return "", fmt.Errorf("%q is not text", text)
	}
	return text, nil
}

func readAddress(text string, _ time.Time) (string, error) {
	a, err := netip.ParseAddr(strings.TrimSpace(text))
	if err != nil || a.Zone() != "" {
		return "", fmt.Errorf("%q is not an IP address (192.0.2.7 or 2001:db8::7)", text)
	}
	return netip.AddrFrom16(a.As16()).String(), nil
}

// readPrefix gives the prefix without host bits, and an IPv4 prefix as such even
// where it was typed mapped into IPv6.
func readPrefix(text string, _ time.Time) (string, error) {
	const wanted = "is neither an address prefix (192.0.2.0/24 or 2001:db8::/32) nor an address"
	typed := strings.TrimSpace(text)
	if a, err := netip.ParseAddr(typed); err == nil && a.Zone() == "" {
		a = a.Unmap()
		return netip.PrefixFrom(a, a.BitLen()).String(), nil
	}
	p, err := netip.ParsePrefix(typed)
	if err != nil {
		return "", fmt.Errorf("%q %s", text, wanted)
	}
	if p.Addr().Is4In6() {
		if p.Bits() < 96 {
			return "", fmt.Errorf("%q %s", text, wanted)
		}
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	return p.Masked().String(), nil
}

func readPort(text string, _ time.Time) (string, error) {
	n, err := strconv.ParseUint(strings.TrimSpace(text), 10, 16)
	if err != nil {
		return "", fmt.Errorf("%q is not a port (0 to 65535)", text)
	}
	return strconv.FormatUint(n, 10), nil
}

func readNumber(text string, _ time.Time) (string, error) {
	n, err := strconv.ParseUint(strings.TrimSpace(text), 10, 64)
	if err != nil {
		return "", fmt.Errorf("%q is not a whole number of 0 or more", text)
	}
	return strconv.FormatUint(n, 10), nil
}

// timeFormat is how ClickHouse reads a time; it is in UTC.
const timeFormat = "2006-01-02 15:04:05.000"

func readTime(text string, now time.Time) (string, error) {
	typed := strings.TrimSpace(text)
	if back, err := parseDuration(typed); err == nil {
		return readable(now.Add(-back), text)
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02 15:04:05", "2006-01-02 15:04", time.DateOnly} {
		if t, err := time.ParseInLocation(layout, typed, time.UTC); err == nil {
			return readable(t, text)
		}
	}
	return "", fmt.Errorf("%q is neither a duration back from now (24h, 30d) nor a time (2026-03-01 or 2026-03-01T06:00:00Z)", text)
}

// readable refuses the years that a DateTime64(3) cannot hold.
func readable(t time.Time, text string) (string, error) {
	if year := t.UTC().Year(); year < 1970 || year > 2200 {
		return "", fmt.Errorf("%q is the year %d; times are from 1970 to 2200", text, year)
	}
	return t.UTC().Format(timeFormat), nil
}

func readDuration(text string, _ time.Time) (string, error) {
	d, err := parseDuration(strings.TrimSpace(text))
	if err != nil || d%time.Second != 0 {
		return "", fmt.Errorf("%q is not a duration of whole seconds (90s, 15m, 4h, 2d)", text)
	}
	return strconv.FormatInt(int64(d/time.Second), 10), nil
}

var durationPart = regexp.MustCompile(`^(\d{1,6})(w|d|h|m|s)`)

var errDuration = errors.New("not a duration")

// parseDuration reads weeks, days, hours, minutes and seconds, in that order or any
// other: 90s, 1h30m, 2w. It is never negative, and at most a hundred years.
func parseDuration(text string) (time.Duration, error) {
	units := map[string]time.Duration{"w": 7 * 24 * time.Hour, "d": 24 * time.Hour, "h": time.Hour, "m": time.Minute, "s": time.Second}
	const most = 100 * 365 * 24 * time.Hour
	var total time.Duration
	for rest := text; ; {
		m := durationPart.FindStringSubmatch(rest)
		if m == nil {
			return 0, errDuration
		}
		n, err := strconv.Atoi(m[1])
		if err != nil || time.Duration(n) > (most-total)/units[m[2]] {
			return 0, errDuration
		}
		total += time.Duration(n) * units[m[2]]
		if rest = rest[len(m[0]):]; rest == "" {
			return total, nil
		}
	}
}
