package intel

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"tapwatch/internal/config"
)

// entry is a line of a list.
type entry struct {
	prefix      netip.Prefix
	description string
}

// reported is the most bad lines of one file that an error names.
const reported = 10

// parse reads the lines of a file. The error joins the bad lines, each a
// *config.Error, the first ten of them.
func parse(file string, data []byte) ([]entry, error) {
	var entries []entry
	var mistakes []error
	number, bad := 0, 0
	for line := range bytes.Lines(bytes.TrimPrefix(data, []byte("\ufeff"))) {
		number++
		e, ok, err := parseLine(string(line))
		switch {
		case err != nil:
			if bad++; bad <= reported {
				mistakes = append(mistakes, &config.Error{File: file, Line: number, Column: 1, Message: err.Error()})
			}
		case ok:
			entries = append(entries, e)
		}
	}
	if bad > reported {
		mistakes = append(mistakes, &config.Error{File: file, Message: fmt.Sprintf("and %d more bad lines", bad-reported)})
	}
	return entries, errors.Join(mistakes...)
}

// parseLine reads "ADDRESS-OR-PREFIX [description]"; ok is false for a line that
// holds a comment or nothing.
func parseLine(line string) (e entry, ok bool, err error) {
	line = strings.TrimSpace(line)
	if line == "" || line[0] == '#' {
		return entry{}, false, nil
	}
	text, rest := line, ""
	if i := strings.IndexAny(line, ", \t;#"); i >= 0 {
		text, rest = line[:i], strings.Trim(line[i:], ", \t;#\"")
	}
	e.description = rest
	e.prefix, err = parsePrefix(text)
	return e, err == nil, err
}

func parsePrefix(text string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(text); err == nil && addr.Zone() == "" {
		addr = addr.Unmap()
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	p, err := netip.ParsePrefix(text)
	if err == nil && p.Addr().Is4In6() && p.Bits() >= 96 {
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	switch {
	case err != nil:
		return p, fmt.Errorf("%q is not an address or a prefix: write one such as 198.51.100.7 or 198.51.100.0/24, or put # before a comment", text)
	case p.Bits() == 0:
		return p, fmt.Errorf("%q covers every address: remove it", text)
	case p != p.Masked():
		return p, fmt.Errorf("%q has bits set after its length: write %s or %s", text, p.Masked(), p.Addr())
	}
	return p, nil
}
