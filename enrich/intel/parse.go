package intel

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"tapwatch/internal/config"
)

// The formats of a list; empty: the one that the file looks like.
const (
	FormatText = "text"
	FormatCSV  = "csv"
	FormatSTIX = "stix"
)

var byteOrderMark = []byte("\ufeff")

// parse reads a file of the format. The error joins the mistakes, each a
// *config.Error, the first ten of them.
func parse(file, format string, data []byte) (parsed, error) {
	data = bytes.TrimPrefix(data, byteOrderMark)
	trimmed := bytes.TrimSpace(data)
	if format == FormatSTIX || format == "" && (bytes.HasPrefix(trimmed, []byte("{")) || bytes.HasPrefix(trimmed, []byte("["))) {
		return parseSTIX(file, data)
	}
	t, ok := asTable(data)
	switch {
	case format == FormatText || format == "" && !ok:
		return parseText(file, data)
	case ok:
		return t.parse(file, data)
	case len(trimmed) == 0:
		return parsed{}, nil
	default:
		return parsed{}, &config.Error{File: file, Line: 1, Column: 1, Message: "the first line names no column of addresses: write a header such as indicator,valid_from,valid_until,description,confidence"}
	}
}

// mistakes collects the bad lines of a file.
type mistakes struct {
	file string
	all  []error
	bad  int
}

// reported is the most bad lines of one file that an error names.
const reported = 10

func (m *mistakes) add(line int, err error) {
	if m.bad++; m.bad <= reported {
		m.all = append(m.all, &config.Error{File: m.file, Line: line, Column: 1, Message: err.Error()})
	}
}

func (m *mistakes) err() error {
	if m.bad > reported {
		m.all = append(m.all, &config.Error{File: m.file, Message: fmt.Sprintf("and %d more bad lines", m.bad-reported)})
	}
	return errors.Join(m.all...)
}

// parseText reads an address or a prefix a line.
func parseText(file string, data []byte) (parsed, error) {
	var p parsed
	m := mistakes{file: file}
	number := 0
	for line := range bytes.Lines(data) {
		number++
		e, ok, err := parseLine(string(line))
		switch {
		case err != nil:
			m.add(number, err)
		case ok:
			p.entries = append(p.entries, e)
		}
	}
	return p, m.err()
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
	e.description = plainText(rest)
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
