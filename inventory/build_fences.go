package inventory

import (
	"slices"
	"strconv"
	"strings"

	"tapwatch/internal/config"
)

type fenceDocument struct {
	Name           string `yaml:"name"`
	Zones          texts  `yaml:"zones"`
	Kinds          texts  `yaml:"kinds"`
	Direction      string `yaml:"direction"`
	AllowCountries texts  `yaml:"allow_countries"`
	DenyCountries  texts  `yaml:"deny_countries"`
	AllowASNs      texts  `yaml:"allow_asns"`
	DenyASNs       texts  `yaml:"deny_asns"`
	Unknown        string `yaml:"unknown"`
	Owner          string `yaml:"owner"`
	Ticket         string `yaml:"ticket"`
}

// addFences runs after the zones that fences name.
func (b *builder) addFences(docs []fenceDocument) {
	for i, d := range docs {
		key := config.Index("fences", i)
		b.claim(b.fenceAt, key+".name", d.Name, "fence")
		f := Fence{Name: d.Name, Zones: d.Zones.items, Kinds: d.Kinds.items, Owner: d.Owner, Ticket: d.Ticket}
		for j, name := range d.Zones.items {
			b.mustKnow(d.Zones.key(key+".zones", j), known(b.zoneAt, name, "zone"))
		}
		for j, kind := range d.Kinds.items {
			b.mustKnow(d.Kinds.key(key+".kinds", j), known(b.kinds, kind, "zone of a kind"))
		}
		if len(f.Zones)+len(f.Kinds) == 0 {
			b.mistake(key, "stands around nothing: list zones or kinds")
		}
		f.Direction = b.fenceDirection(key+".direction", d.Direction)
		f.AllowCountries, f.DenyCountries = b.countries(key, d.AllowCountries, d.DenyCountries)
		f.AllowASNs, f.DenyASNs = b.asns(key, d.AllowASNs, d.DenyASNs)
		if len(d.AllowCountries.items)+len(d.DenyCountries.items)+len(d.AllowASNs.items)+len(d.DenyASNs.items) == 0 {
			b.mistake(key, "lets everything pass: list allow_countries, deny_countries, allow_asns or deny_asns")
		}
		f.DenyUnknown = b.denyUnknown(key+".unknown", d.Unknown, len(f.AllowCountries)+len(f.AllowASNs) > 0)
		b.inventory.Fences = append(b.inventory.Fences, f)
	}
}

func (b *builder) fenceDirection(key, text string) string {
	switch text {
	case "":
		return FenceAny
	case FenceOut, FenceIn, FenceAny:
		return text
	}
	b.mistake(key, "%q is unknown: use out (opened from inside), in (opened from outside) or any", text)
	return FenceAny
}

func (b *builder) denyUnknown(key, text string, allows bool) bool {
	switch {
	case text == "", text == "allow":
		return false
	case text != "deny":
		b.mistake(key, "%q is unknown: use allow or deny", text)
	case !allows:
		b.mistake(key, "there is nothing that the fence allows, so an unknown place passes: list allow_countries or allow_asns, or remove it")
	}
	return text == "deny"
}

// countries reads both lists of a fence; a country stands in them once.
func (b *builder) countries(key string, allow, deny texts) (allowed, denied []string) {
	first := map[string]string{}
	read := func(path string, list texts) (codes []string) {
		for i, code := range list.items {
			at := list.key(path, i)
			if message := checkCountry(code); message != "" {
				b.mistake(at, "%s", message)
			} else if b.once(first, at, code) {
				codes = append(codes, code)
			}
		}
		return codes
	}
	return read(key+".allow_countries", allow), read(key+".deny_countries", deny)
}

// asns reads numbers of autonomous systems, as 64500 or AS64500.
func (b *builder) asns(key string, allow, deny texts) (allowed, denied []uint32) {
	first := map[string]string{}
	read := func(path string, list texts) (numbers []uint32) {
		for i, text := range list.items {
			at := list.key(path, i)
			n, err := strconv.ParseUint(strings.TrimPrefix(text, "AS"), 10, 32)
			if err != nil || n == 0 {
				b.mistake(at, "%q is no number of an autonomous system: write it as in 64500", text)
			} else if b.once(first, at, "AS"+strconv.FormatUint(n, 10)) {
				numbers = append(numbers, uint32(n))
			}
		}
		return numbers
	}
	return read(key+".allow_asns", allow), read(key+".deny_asns", deny)
}

// once notes what was found at key; it is a mistake where it was found before.
func (b *builder) once(first map[string]string, key, what string) bool {
	if at, taken := first[what]; taken {
		b.mistake(key, "%s stands in %s already: remove it from one of the two", what, at)
		return false
	}
	first[what] = key
	return true
}

// attached reads which zones hang on which interfaces of an exporter.
func (b *builder) attached(key string, docs map[string]texts) (all []Attachment) {
	for _, zone := range sortedKeys(docs) {
		list := docs[zone]
		path := key + "." + quotedKey(zone)
		b.mustKnow(path, known(b.zoneAt, zone, "zone"))
		if len(list.items) == 0 {
			b.mistake(path, "is empty: list the interfaces that the zone hangs on, as in [10, 20-29]")
		}
		for i, text := range list.items {
			first, last, err := parseRange(text, 32)
			if err != nil {
				b.mistake(list.key(path, i), "%v", err)
				continue
			}
			a := Attachment{Zone: zone, First: uint32(first), Last: uint32(last)}
			if !slices.Contains(all, a) {
				all = append(all, a)
			}
		}
	}
	return all
}
