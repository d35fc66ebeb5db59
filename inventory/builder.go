package inventory

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/gaissmai/bart"

	"tapwatch/internal/config"
)

// builder makes an Inventory of a document and collects the mistakes. What is
// mistaken is left out and the rest goes on, so that one run finds them all.
type builder struct {
	inventory *Inventory
	mistakes  []error

	// Where each name and address was first given, as a key of the file.
	zoneAt, assetAt, ruleAt, exporterNameAt, fenceAt map[string]string
	prefixAt                                         map[netip.Prefix]string
	addressAt, exporterAt                            map[netip.Addr]string
	zones                                            bart.Table[*Zone]
	kinds, roles                                     map[string]string
}

func newBuilder() *builder {
	return &builder{
		inventory: &Inventory{services: map[string]*bart.Lite{}, exporters: map[netip.Addr]*Exporter{}},
		zoneAt:    map[string]string{}, assetAt: map[string]string{}, ruleAt: map[string]string{},
		exporterNameAt: map[string]string{}, fenceAt: map[string]string{}, prefixAt: map[netip.Prefix]string{},
		addressAt: map[netip.Addr]string{}, exporterAt: map[netip.Addr]string{},
		kinds: map[string]string{}, roles: map[string]string{},
	}
}

func (b *builder) mistake(key, format string, args ...any) {
	b.mistakes = append(b.mistakes, config.Invalid(key, format, args...))
}

// claim notes the name, found at key, in seen. An empty name and one that is
// taken are mistakes.
func (b *builder) claim(seen map[string]string, key, name, what string) {
	first, taken := seen[name]
	switch {
	case strings.TrimSpace(name) == "":
		b.mistake(key, "is missing: give the %s a name", what)
	case taken:
		b.mistake(key, "%q is the name of %s already: give each %s a name of its own", name, first, what)
	default:
		seen[name] = strings.TrimSuffix(key, ".name")
	}
}

// prefix reads a prefix; a bare address is one where bare says so.
func (b *builder) prefix(key, text string, bare bool) (netip.Prefix, bool) {
	p, message := parsePrefix(text, bare)
	if message != "" {
		b.mistake(key, "%s", message)
	}
	return p, message == ""
}

// parsePrefix gives the prefix, or what is wrong with the text.
func parsePrefix(text string, bare bool) (netip.Prefix, string) {
	if addr, err := netip.ParseAddr(text); err == nil {
		if _, message := parseAddr(text); message != "" {
			return netip.Prefix{}, message
		}
		p := netip.PrefixFrom(addr, addr.BitLen())
		if !bare {
			return p, fmt.Sprintf("%q is an address, not a prefix: write %s for it alone", text, p)
		}
		return p, ""
	}
	p, err := netip.ParsePrefix(text)
	switch {
	case err != nil:
		return p, fmt.Sprintf("%q is not a prefix: write one such as 10.66.0.0/24 or 2001:db8:66::/64", text)
	case p.Addr().Is4In6():
		return p, fmt.Sprintf("%q is an IPv4 prefix in the clothes of IPv6: write it as IPv4", text)
	case p != p.Masked():
		return p, fmt.Sprintf("%q has bits set after its length: write %s", text, p.Masked())
	}
	return p, ""
}

func (b *builder) address(key, text string) (netip.Addr, bool) {
	addr, message := parseAddr(text)
	if message != "" {
		b.mistake(key, "%s", message)
	}
	return addr, message == ""
}

// parseAddr gives the address, or what is wrong with the text.
func parseAddr(text string) (netip.Addr, string) {
	addr, err := netip.ParseAddr(text)
	switch {
	case text == "":
		return addr, "is missing: write an address such as 10.66.0.10 or 2001:db8:66::10"
	case err != nil:
		return addr, fmt.Sprintf("%q is not an address: write one such as 10.66.0.10 or 2001:db8:66::10", text)
	case addr.Zone() != "":
		return addr, fmt.Sprintf("%q has a scope, which flows do not carry: write %s", text, addr.WithZone(""))
	case addr.Is4In6():
		return addr, fmt.Sprintf("%q is an IPv4 address in the clothes of IPv6: write %s", text, addr.Unmap())
	}
	return addr, ""
}
