package simulate

import (
	"bufio"
	"fmt"
	"net/netip"
	"strings"
)

// Range is an address range of the internet outside a simulated carrier.
type Range struct {
	Prefix netip.Prefix
	ASN    uint32
	// Country is its ISO 3166-1 alpha-2 code.
	Country string
	// Use is content, dns, eyeball, hosting or quiet; internet.csv explains them.
	Use string
}

// Ranges lists the rows of internet.csv, in order.
func Ranges() ([]Range, error) {
	var all []Range
	for s := bufio.NewScanner(strings.NewReader(internetCSV)); s.Scan(); {
		line := s.Text()
		if line == "" || line[0] == '#' {
			continue
		}
		r, err := parseRange(line)
		if err != nil {
			return nil, fmt.Errorf("internet range %q: %w", line, err)
		}
		all = append(all, Range{Prefix: r.prefix, ASN: r.as, Country: strings.Split(line, ",")[2], Use: r.use})
	}
	return all, nil
}
