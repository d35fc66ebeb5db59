package intel

import (
	"net/netip"
	"strings"
)

// addressPath tells whether an address stands at the path.
func addressPath(path string) bool {
	switch path {
	case "ipv4-addr:value", "ipv6-addr:value", "network-traffic:src_ref.value", "network-traffic:dst_ref.value":
		return true
	}
	return false
}

// narrowing tells whether what stands at the path only narrows what an address says.
func narrowing(path string) bool {
	for _, known := range []string{"network-traffic:src_port", "network-traffic:dst_port", "network-traffic:protocols",
		"network-traffic:src_ref.type", "network-traffic:dst_ref.type"} {
		if strings.HasPrefix(path, known) {
			return true
		}
	}
	return false
}

// addresses are those that the comparison holds for.
func addresses(path, operator string, values []string) (found pattern) {
	for _, v := range values {
		prefix, err := parsePrefix(v)
		if err != nil && operator == "ISSUBSET" {
			if p, wrong := netip.ParsePrefix(v); wrong == nil {
				prefix, err = parsePrefix(p.Masked().String())
			}
		}
		if err != nil || operator != "=" && operator != "IN" && operator != "ISSUBSET" {
			return pattern{unknown: []string{path + " " + operator}}
		}
		found.prefixes = append(found.prefixes, prefix)
	}
	return found
}
