package intel

import (
	"strings"
	"testing"
)

// FuzzParse holds that no list of any format makes the parser panic, and that what it
// takes are prefixes without host bits.
func FuzzParse(f *testing.F) {
	for _, text := range []string{
		"\ufeff# comment\r\n198.51.100.7\n203.0.113.0/24 x\n::ffff:192.0.2.240/124, y\n2001:db8::/32;z\n",
		"indicator,valid_from,valid_until,description,confidence\n198.51.100.7,2026-01-01,1790000000,\"a \"\"b\",high\n",
		"# \"first_seen_utc\",\"ioc_value\",\"ioc_type\"\n\"2026-01-01 00:00:00\", \"198.51.100.7:443\", \"ip:port\"\n",
		`{"type":"bundle","objects":[{"type":"indicator","id":"indicator--1","pattern":"[ipv4-addr:value = '198.51.100.7']","valid_from":"2026-01-01T00:00:00Z","confidence":80}]}`,
		`[{"type":"indicator","pattern":"([ipv4-addr:value ISSUBSET '198.51.100.0/24'] OR [a:b = t'x'\\'']) WITHIN 5 SECONDS"}]`,
	} {
		f.Add("", []byte(text))
	}
	f.Add(FormatCSV, []byte("ip\n198.51.100.7\n"))
	f.Fuzz(func(t *testing.T, format string, data []byte) {
		got, err := parse("f.txt", format, data)
		if err != nil {
			return
		}
		l := List{Name: "f"}
		for _, i := range l.indicators(got.entries) {
			if p := i.Prefix; !p.IsValid() || p != p.Masked() || p.Bits() == 0 {
				t.Errorf("took %v", p)
			}
			if i.Confidence > 100 || strings.ContainsAny(i.Description+i.Actor, "\n\x00") && !strings.Contains(string(data), "\x00") {
				t.Errorf("took %+v", i)
			}
		}
	})
}

// FuzzPattern holds that no pattern makes the parser panic or run for ever, and that a
// pattern it takes wholly stays the same in parentheses.
func FuzzPattern(f *testing.F) {
	for _, p := range []string{
		"[ipv4-addr:value = '198.51.100.7']",
		"[ipv4-addr:value IN ('198.51.100.7', '198.51.100.8') AND network-traffic:dst_port = 443] OR [ipv6-addr:value ISSUBSET '2001:db8::/32']",
		"([file:hashes.'SHA-256' = 'a\\'b'] FOLLOWEDBY [a:b[*].c NOT LIKE 'x%']) REPEATS 5 TIMES WITHIN 600 SECONDS",
		"[EXISTS windows-registry-key:key] START t'2026-01-01T00:00:00Z' STOP t'2026-01-02T00:00:00Z'",
		"[ipv4-addr:value != '198.51.100.7' AND (a:b > 5 OR a:c <= b'eA==')]",
	} {
		f.Add(p)
	}
	f.Fuzz(func(t *testing.T, text string) {
		once, err := parsePattern(text)
		if err != nil {
			return
		}
		again, err := parsePattern("(" + text + ")")
		if err == nil && len(again.prefixes) != len(once.prefixes) {
			t.Errorf("%q: %d prefixes, in parentheses %d", text, len(once.prefixes), len(again.prefixes))
		}
	})
}
