package inventory

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"tapwatch/flow"
	"tapwatch/internal/config"
)

// addRules runs after the zones, assets and services that rules name.
func (b *builder) addRules(docs []ruleDocument) {
	for i, d := range docs {
		key := config.Index("allow", i)
		b.claim(b.ruleAt, key+".name", d.Name, "rule")
		r := Rule{Name: d.Name, Owner: d.Owner, Ticket: d.Ticket}
		r.From = b.selectors(key+".from", d.From)
		r.To = b.selectors(key+".to", d.To)
		r.AnyProtocol = d.Protocol == "" || d.Protocol == "any"
		if !r.AnyProtocol {
			r.Protocol = b.protocol(key+".protocol", d.Protocol)
		}
		r.Ports = b.ports(key+".ports", d.Ports)
		if len(d.Ports.items) > 0 && !r.AnyProtocol && !flow.HasPorts(r.Protocol) {
			b.mistake(key+".ports", "protocol %s has no ports: remove them", d.Protocol)
		}
		r.EitherInitiates = b.initiator(key+".initiator", d.Initiator)
		var err error
		if r.Schedule, err = ParseSchedule(d.Schedule); err != nil {
			b.mistake(key+".schedule", "%v", err)
		}
		r.Expires = b.expiry(key+".expires", d.Expires)
		b.inventory.Allow = append(b.inventory.Allow, r)
	}
}

func (b *builder) protocol(key, text string) uint8 {
	number, err := flow.ParseProtocol(text)
	if err != nil {
		b.mistake(key, "%v", err)
	}
	return number
}

func (b *builder) initiator(key, text string) (either bool) {
	switch text {
	case "", "from":
	case "either":
		return true
	default:
		b.mistake(key, "%q is unknown: use from (only the from end may open the conversation) or either", text)
	}
	return false
}

// expiry gives the first moment after the day, by UTC.
func (b *builder) expiry(key, text string) time.Time {
	if text == "" {
		return time.Time{}
	}
	day, err := time.Parse(time.DateOnly, text)
	if err != nil {
		b.mistake(key, "%q is not a date: write year, month and day, as in 2027-06-30", text)
		return time.Time{}
	}
	return day.AddDate(0, 0, 1)
}

func (b *builder) ports(key string, list texts) (ranges []PortRange) {
	for i, text := range list.items {
		first, last, err := parseRange(text, 16)
		if err == nil && first == 0 {
			err = fmt.Errorf("port 0 is none: remove it")
		}
		if err != nil {
			b.mistake(list.key(key, i), "%v", err)
			continue
		}
		ranges = append(ranges, PortRange{uint16(first), uint16(last)})
	}
	return ranges
}

// parseRange reads "443" or "9000-9010", numbers of so many bits.
func parseRange(text string, bits int) (first, last uint64, err error) {
	low, high, isRange := strings.Cut(text, "-")
	if !isRange {
		high = low
	}
	first, errFirst := strconv.ParseUint(strings.TrimSpace(low), 10, bits)
	last, errLast := strconv.ParseUint(strings.TrimSpace(high), 10, bits)
	switch {
	case errFirst != nil || errLast != nil:
		return 0, 0, fmt.Errorf("%q is not a number or a range up to %d: write it as in 443 or 9000-9010", text, uint64(1)<<bits-1)
	case first > last:
		return 0, 0, fmt.Errorf("%q runs backwards: write %d-%d", text, last, first)
	}
	return first, last, nil
}

func (b *builder) selectors(key string, list texts) (selectors []Selector) {
	if len(list.items) == 0 {
		b.mistake(key, "is missing: write %s", selectorForms)
	}
	for i, text := range list.items {
		s, err := b.selector(text)
		if err != nil {
			b.mistake(list.key(key, i), "%v", err)
			continue
		}
		selectors = append(selectors, s)
	}
	return selectors
}

const selectorForms = "zone:NAME, kind:KIND, asset:NAME, role:NAME, service:NAME, an address, a prefix, or any"

func (b *builder) selector(text string) (Selector, error) {
	word, name, _ := strings.Cut(text, ":")
	name = strings.TrimSpace(name)
	s := Selector{text: text, value: name}
	switch word {
	case "any":
		s.by = byAny
		if text != "any" {
			return s, fmt.Errorf("%q has something after any: write any alone", text)
		}
		return s, nil
	case "zone":
		s.by = byZone
		return s, known(b.zoneAt, name, "zone")
	case "kind":
		s.by = byKind
		return s, known(b.kinds, name, "zone of a kind")
	case "asset":
		s.by = byAsset
		return s, known(b.assetAt, name, "asset")
	case "role":
		s.by = byRole
		return s, known(b.roles, name, "asset with a role")
	case "service":
		s.by, s.peers = byService, b.inventory.services[name]
		return s, known(b.inventory.services, name, "service")
	}
	p, message := parsePrefix(text, true)
	s.by, s.prefix = byPrefix, p
	switch {
	case message == "":
		return s, nil
	case strings.ContainsAny(text, "/:") && strings.ContainsAny(text, "0123456789"):
		return s, fmt.Errorf("%s", message)
	default:
		return s, fmt.Errorf("%q is no selector: write %s%s", text, selectorForms, b.forgotten(text))
	}
}

// known is an error where the name is not among those known.
func known[V any](names map[string]V, name, what string) error {
	if _, ok := names[name]; ok && name != "" {
		return nil
	}
	return fmt.Errorf("no %s %q: %s", what, name, remedy(name, what, names))
}

// forgotten guesses which word before the colon was forgotten.
func (b *builder) forgotten(name string) string {
	_, service := b.inventory.services[name]
	for _, guess := range []struct {
		word  string
		known bool
	}{
		{"asset", b.assetAt[name] != ""}, {"zone", b.zoneAt[name] != ""}, {"service", service},
		{"role", b.roles[name] != ""}, {"kind", b.kinds[name] != ""},
	} {
		if guess.known {
			return fmt.Sprintf("; did you mean %s:%s?", guess.word, name)
		}
	}
	return ""
}
