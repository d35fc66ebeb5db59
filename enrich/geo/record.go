package geo

import (
	"strconv"
	"strings"

	"github.com/oschwald/maxminddb-golang/v2"
)

// system is an autonomous system; the zero system is an unknown one.
type system struct {
	number uint32
	org    string
}

// countryPaths are where the makers of databases put the country, the best first:
// GeoLite2, GeoIP2 and DB-IP (where it is, then where it is registered), DB-IP
// Lite, ip-location-db and IPinfo Lite, IPinfo.
var countryPaths = [][]any{
	{"country", "iso_code"},
	{"registered_country", "iso_code"},
	{"country_code"},
	{"country"},
}

// readCountry gives the ISO 3166-1 alpha-2 code of a record; empty where it has
// none.
func readCountry(r maxminddb.Result) string {
	for _, path := range countryPaths {
		if code := strings.ToUpper(readString(r, path...)); isCountryCode(code) {
			return code
		}
	}
	return ""
}

func isCountryCode(s string) bool {
	return len(s) == 2 && 'A' <= s[0] && s[0] <= 'Z' && 'A' <= s[1] && s[1] <= 'Z'
}

// systemPaths are where the makers put number and organisation: GeoLite2, DB-IP
// and ip-location-db; GeoIP2 Enterprise; IPinfo Lite; IPinfo ASN.
var systemPaths = []struct{ number, org []any }{
	{[]any{"autonomous_system_number"}, []any{"autonomous_system_organization"}},
	{[]any{"traits", "autonomous_system_number"}, []any{"traits", "autonomous_system_organization"}},
	{[]any{"asn"}, []any{"as_name"}},
	{[]any{"asn"}, []any{"name"}},
}

// readSystem gives the autonomous system of a record; the zero system where it has
// none.
func readSystem(r maxminddb.Result) system {
	var s system
	for _, path := range systemPaths {
		number := readNumber(r, path.number...)
		if number == 0 {
			continue
		}
		s.number = number
		if s.org = readString(r, path.org...); s.org != "" {
			break
		}
	}
	return s
}

// readNumber gives a number of an autonomous system, written as 64500, "64500" or
// "AS64500"; 0 where there is none.
func readNumber(r maxminddb.Result, path ...any) uint32 {
	var number uint32
	if err := r.DecodePath(&number, path...); err == nil {
		return number
	}
	text := readString(r, path...)
	if len(text) > 2 && strings.EqualFold(text[:2], "AS") {
		text = text[2:]
	}
	parsed, err := strconv.ParseUint(text, 10, 32)
	if err != nil {
		return 0
	}
	return uint32(parsed)
}

// readString gives a text of the record; empty where there is none, or something
// else.
func readString(r maxminddb.Result, path ...any) string {
	var text string
	if err := r.DecodePath(&text, path...); err != nil {
		return ""
	}
	return text
}
