package intel

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"tapwatch/internal/config"
)

// The names that columns go by: plain ones, those of MISP's export, and those of
// abuse.ch (Feodo Tracker, SSL blacklist, ThreatFox). Small letters, _ for spaces and
// dashes.
var columnNames = map[string][]string{
	"indicator":   {"indicator", "ioc", "ioc_value", "value", "ip", "dst_ip", "dstip", "src_ip", "ip_address", "ipaddress", "address", "cidr", "prefix", "network"},
	"type":        {"type", "ioc_type", "indicator_type"},
	"valid_from":  {"valid_from", "first_seen", "firstseen", "first_seen_utc"},
	"valid_until": {"valid_until", "valid_to", "expires", "expiry", "expiration", "expiration_date"},
	"seen":        {"last_seen", "lastseen", "last_seen_utc", "last_online"},
	"confidence":  {"confidence", "confidence_level"},
	"actor":       {"actor", "threat_actor", "malware_printable", "malware", "malware_family"},
	"to_ids":      {"to_ids"},
}

// describing are the columns of which a description is made, in this order.
var describing = []string{"description", "comment", "note", "name", "title", "threat_type", "event_info", "tags"}

// table is where a file of values separated by commas has what.
type table struct {
	comma      rune
	columns    map[string]int
	describing []int
	first      int // the line of the first row, from 0
}

// asTable finds the header of a table; ok is false for a file that is none.
func asTable(data []byte) (t table, ok bool) {
	number := -1
	for line := range bytes.Lines(data) {
		number++
		text := strings.TrimSpace(string(line))
		if text == "" {
			continue
		}
		row, isComment := strings.CutPrefix(text, "#")
		if found, header := asHeader(strings.TrimSpace(row)); header {
			t, ok = found, true
			t.first = number + 1
			if !isComment {
				return t, true
			}
			continue
		}
		if !isComment { // the first row: a header in a comment before it is one if it fits
			return t, ok && t.fits(text)
		}
	}
	return t, ok
}

// asHeader reads the names of columns; ok is false where none is that of addresses.
func asHeader(line string) (t table, ok bool) {
	t = table{comma: ',', columns: map[string]int{}}
	for _, r := range ";\t" {
		if strings.ContainsRune(line, r) && !strings.ContainsRune(line, ',') {
			t.comma = r
		}
	}
	names := strings.Split(line, string(t.comma))
	for i, name := range names {
		names[i] = strings.NewReplacer(" ", "_", "-", "_").Replace(strings.ToLower(strings.Trim(name, "\" \t")))
	}
	for column, known := range columnNames {
		for _, name := range known { // the first of the known that the file has
			if i := slices.Index(names, name); i >= 0 {
				t.columns[column] = i
				break
			}
		}
	}
	for _, name := range describing {
		if i := slices.Index(names, name); i >= 0 {
			t.describing = append(t.describing, i)
		}
	}
	_, ok = t.columns["indicator"]
	return t, ok && (len(names) > 1 || len(t.columns) == 1)
}

// fits tells whether the row has an address where the header says so.
func (t *table) fits(line string) bool {
	r := csv.NewReader(strings.NewReader(line))
	t.configure(r)
	row, err := r.Read()
	if err != nil {
		return false
	}
	_, typed := t.columns["type"]
	_, err = parsePrefix(bare(t.cell(row, "indicator")))
	return len(row) > 1 && (typed || err == nil)
}

func (t *table) configure(r *csv.Reader) {
	r.Comma, r.Comment, r.LazyQuotes, r.TrimLeadingSpace, r.FieldsPerRecord = t.comma, '#', true, true, -1
}

func (t *table) cell(row []string, column string) string {
	if i, ok := t.columns[column]; ok && i < len(row) {
		return strings.TrimSpace(row[i])
	}
	return ""
}

// parse reads the rows. The error joins the bad ones, each a *config.Error.
func (t *table) parse(file string, data []byte) (parsed, error) {
	var p parsed
	m := mistakes{file: file}
	skipped := 0
	for line := range bytes.Lines(data) {
		if skipped == t.first {
			break
		}
		skipped, data = skipped+1, data[len(line):]
	}
	r := csv.NewReader(bytes.NewReader(data))
	t.configure(r)
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			return p, m.err()
		}
		if err != nil {
			var wrong *csv.ParseError
			if errors.As(err, &wrong) {
				m.add(t.first+wrong.Line, wrong.Err)
				continue
			}
			return p, &config.Error{File: file, Message: err.Error()}
		}
		line, _ := r.FieldPos(0)
		if err := t.row(row, &p); err != nil {
			m.add(t.first+line, err)
		}
	}
}

// row reads one row.
func (t *table) row(row []string, p *parsed) error {
	text, kind := t.cell(row, "indicator"), strings.ToLower(t.cell(row, "type"))
	if text == "" && kind == "" {
		return nil
	}
	if kind == "domain|ip" {
		_, text, _ = strings.Cut(text, "|")
	}
	if use := strings.ToLower(t.cell(row, "to_ids")); use == "0" || use == "false" {
		p.skip(skipNotToIDS, "to_ids is "+use)
		return nil
	}
	prefix, err := parsePrefix(bare(text))
	switch {
	case err != nil && kind != "" && !strings.HasPrefix(kind, "ip") && kind != "cidr":
		p.skip(skipType, plainText(kind))
		return nil
	case err != nil:
		return err
	}
	e := entry{prefix: prefix, actor: plainText(t.cell(row, "actor"))}
	for _, i := range t.describing {
		if i < len(row) {
			e.description = joinTexts(e.description, plainText(row[i]))
		}
	}
	if e.confidence, err = parseConfidence(t.cell(row, "confidence")); err != nil {
		return err
	}
	if e.from, err = parseDate(t.cell(row, "valid_from"), false); err != nil {
		return err
	}
	if e.until, err = parseDate(t.cell(row, "valid_until"), true); err != nil {
		return err
	}
	if e.seen, err = parseDate(t.cell(row, "seen"), true); err != nil {
		return err
	}
	p.entries = append(p.entries, e)
	return nil
}

// parseConfidence reads 0 to 100, or the words of STIX 2.1, appendix A.
func parseConfidence(text string) (uint8, error) {
	if word, ok := map[string]uint8{"": 0, "none": 0, "unknown": 0, "low": 15, "med": 50, "medium": 50, "high": 85}[strings.ToLower(text)]; ok {
		return word, nil
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || !(n >= 0 && n <= 100) {
		return 0, fmt.Errorf("%q is not a confidence: write 0 to 100, or low, medium or high", text)
	}
	return uint8(n), nil
}

// bare removes from an address what lists wrap it in: brackets that keep it from being
// clicked, and a port behind it.
func bare(text string) string {
	text = strings.NewReplacer("[.]", ".", "(.)", ".", "[:]", ":").Replace(strings.TrimSpace(text))
	text, _, _ = strings.Cut(text, "|")
	if at, err := netip.ParseAddrPort(text); err == nil {
		return at.Addr().String()
	}
	return text
}
