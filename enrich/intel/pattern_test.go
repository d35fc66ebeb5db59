package intel

import (
	"fmt"
	"strings"
	"testing"
)

func TestPatterns(t *testing.T) {
	for _, c := range []struct{ pattern, want string }{
		{"[ipv4-addr:value = '198.51.100.7']", "198.51.100.7/32"},
		{"[ipv4-addr:value = '198.51.100.0/28']", "198.51.100.0/28"},
		{"[ipv6-addr:value = '2001:db8::7']", "2001:db8::7/128"},
		{"  [ IPv4-Addr:value='198.51.100.7' ] ", "198.51.100.7/32"},
		{"[ipv4-addr:value ISSUBSET '198.51.100.9/24']", "198.51.100.0/24"},
		{"[ipv4-addr:value IN ('198.51.100.7', '198.51.100.8')]", "198.51.100.7/32 198.51.100.8/32"},
		{"[ipv4-addr:value = '198.51.100.7' OR ipv4-addr:value = '198.51.100.8']", "198.51.100.7/32 198.51.100.8/32"},
		{"[ipv4-addr:value = '198.51.100.7' AND ipv4-addr:value = '198.51.100.8']", "198.51.100.7/32 198.51.100.8/32"},
		{"[ipv4-addr:value = '198.51.100.7'] OR [ipv4-addr:value = '198.51.100.8']", "198.51.100.7/32 198.51.100.8/32"},
		{"([ipv4-addr:value = '198.51.100.7'] AND [ipv4-addr:value = '198.51.100.8']) WITHIN 600 SECONDS", "198.51.100.7/32 198.51.100.8/32"},
		{"[ipv4-addr:value = '198.51.100.7'] REPEATS 5 TIMES START t'2026-01-01T00:00:00Z' STOP t'2026-02-01T00:00:00Z'", "198.51.100.7/32"},
		{"[network-traffic:dst_ref.type = 'ipv4-addr' AND network-traffic:dst_ref.value = '198.51.100.7' AND network-traffic:dst_port = 443 AND network-traffic:protocols[*] = 'tcp']",
			"198.51.100.7/32 unchecked network-traffic:dst_ref.type = ipv4-addr unchecked network-traffic:dst_port = 443 unchecked network-traffic:protocols[*] = tcp"},
		{"[ipv4-addr:value = '198.51.100.7' OR domain-name:value = 'evil.example']", "198.51.100.7/32 unknown domain-name:value"},
		{"[ipv4-addr:value = '198.51.100.7' AND domain-name:value = 'evil.example']", "unknown domain-name:value"},
		{"[ipv4-addr:value = '198.51.100.7'] AND [domain-name:value = 'evil.example']", "unknown domain-name:value"},
		{"[ipv4-addr:value = '198.51.100.7' OR network-traffic:dst_port = 443]", "198.51.100.7/32 unknown network-traffic:dst_port = 443"},
		{"[ipv4-addr:value != '198.51.100.7']", "unknown ipv4-addr:value !="},
		{"[ipv4-addr:value NOT = '198.51.100.7']", "unknown ipv4-addr:value"},
		{"[ipv4-addr:value LIKE '198.51.100.%']", "unknown ipv4-addr:value LIKE"},
		{"[ipv4-addr:value = '198.51.100.7/24']", "unknown ipv4-addr:value ="},
		{"[ipv4-addr:value = '0.0.0.0/0']", "unknown ipv4-addr:value ="},
		{"[file:hashes.'SHA-256' = 'a' OR ipv4-addr:value = '198.51.100.7' AND (url:value = 'x' OR ipv4-addr:value = '198.51.100.8')]", "unknown file:hashes.'sha-256' unknown url:value"},
		{"[EXISTS windows-registry-key:key]", "unknown windows-registry-key:key"},
		{"", "error the pattern ends too early"},
		{"[ipv4-addr:value = '198.51.100.7'", "error the pattern ends too early"},
		{"[ipv4-addr:value = '198.51.100.7'] x", `error "x" has no place there`},
		{"[ipv4-addr:value = '198.51.100.7]", "error a quote is not closed"},
		{"[ipv4-addr:value]", `error "]" is not an operator`},
		{"[value = 'x']", `error "value" is not the path of an object`},
		{"[ipv4-addr:value ? 'x']", `error "?" is not an operator`},
		{"[ipv4-addr:value ! 'x']", `error '!' has no place in a pattern`},
		{strings.Repeat("(", 60) + "[ipv4-addr:value = '198.51.100.7']" + strings.Repeat(")", 60), "error it is nested too deep"},
	} {
		p, err := parsePattern(c.pattern)
		var got []string
		for _, prefix := range p.prefixes {
			got = append(got, prefix.String())
		}
		for _, u := range p.unchecked {
			got = append(got, "unchecked "+u)
		}
		for _, u := range p.unknown {
			got = append(got, "unknown "+u)
		}
		if err != nil {
			got = []string{fmt.Sprint("error ", err)}
		}
		if text := strings.Join(got, " "); text != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.pattern, text, c.want)
		}
	}
}
