package intel

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"tapwatch/internal/config"
)

// stixObject is what is read of a STIX object, whatever its type.
type stixObject struct {
	Type        string   `json:"type"`
	ID          string   `json:"id"`
	Modified    string   `json:"modified"`
	Revoked     bool     `json:"revoked"`
	Name        string   `json:"name"`
	Description string   `json:"description"`
	Pattern     string   `json:"pattern"`
	PatternType string   `json:"pattern_type"`
	ValidFrom   string   `json:"valid_from"`
	ValidUntil  string   `json:"valid_until"`
	Confidence  *float64 `json:"confidence"`
	// Of relationships.
	Relationship string   `json:"relationship_type"`
	Source       string   `json:"source_ref"`
	Target       string   `json:"target_ref"`
	Aliases      []string `json:"aliases"`
}

// parseSTIX reads a bundle of STIX 2.0 or 2.1, an envelope of TAXII, or a bare list of
// objects. Only what is no JSON is an error; indicators that flows cannot show are
// counted, and named by what they ask for.
func parseSTIX(file string, data []byte) (parsed, error) {
	raw, err := stixObjects(data)
	if err != nil {
		return parsed{}, jsonError(file, data, err)
	}
	var p parsed
	objects := p.newest(raw)
	actors := actorsOf(objects)
	for _, o := range objects {
		if o.Type == "indicator" {
			o.indicator(&p, actors[o.ID])
		}
	}
	return p, nil
}

func stixObjects(data []byte) ([]json.RawMessage, error) {
	var list []json.RawMessage
	if bytes.HasPrefix(bytes.TrimSpace(data), []byte("[")) {
		err := json.Unmarshal(data, &list)
		return list, err
	}
	var bundle struct {
		Objects []json.RawMessage `json:"objects"`
	}
	err := json.Unmarshal(data, &bundle)
	return bundle.Objects, err
}

// jsonError says where the JSON is broken.
func jsonError(file string, data []byte, err error) error {
	e := &config.Error{File: file, Message: "is not a STIX bundle in JSON: " + err.Error()}
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		before := data[:min(max(syntax.Offset-1, 0), int64(len(data)))]
		e.Line = bytes.Count(before, []byte("\n")) + 1
		e.Column = len(before) - bytes.LastIndexByte(before, '\n')
	}
	return e
}

// newest reads the objects, of several versions of one the newest, in the order in
// which they first come.
func (p *parsed) newest(raw []json.RawMessage) []*stixObject {
	var all []*stixObject
	at := map[string]int{}
	for _, text := range raw {
		o := new(stixObject)
		if err := json.Unmarshal(text, o); err != nil {
			p.skip(skipObject, "not a STIX object")
			continue
		}
		i, seen := at[o.ID]
		switch {
		case !seen || o.ID == "":
			at[o.ID] = len(all)
			all = append(all, o)
		case later(o.Modified, all[i].Modified):
			all[i] = o
		}
	}
	return all
}

func later(a, b string) bool {
	x, errX := time.Parse(time.RFC3339Nano, a)
	y, errY := time.Parse(time.RFC3339Nano, b)
	return errX == nil && (errY != nil || x.After(y))
}

// behind are the types of objects that an indicator may point to.
var behind = []string{"threat-actor", "intrusion-set", "campaign", "malware", "tool", "infrastructure"}

// actorsOf names, by indicator, what it indicates: threat actors first, then malware.
func actorsOf(objects []*stixObject) map[string]string {
	byID := map[string]*stixObject{}
	for _, o := range objects {
		if !o.Revoked {
			byID[o.ID] = o
		}
	}
	found := map[string][]*stixObject{}
	for _, o := range objects {
		if o.Type != "relationship" || o.Revoked || o.Relationship != "indicates" {
			continue
		}
		if target := byID[o.Target]; target != nil && slices.Contains(behind, target.Type) && target.Name != "" {
			found[o.Source] = append(found[o.Source], target)
		}
	}
	names := map[string]string{}
	for id, targets := range found {
		slices.SortStableFunc(targets, func(a, b *stixObject) int {
			return slices.Index(behind, a.Type) - slices.Index(behind, b.Type)
		})
		for _, t := range targets {
			names[id] = joinTexts(names[id], plainText(t.Name))
		}
	}
	return names
}

// indicator adds what the indicator names.
func (o *stixObject) indicator(p *parsed, actor string) {
	switch {
	case o.Revoked:
		p.skip(skipRevoked, "revoked")
		return
	case o.PatternType != "" && o.PatternType != "stix":
		p.skip(skipPattern, plainText("a pattern of type "+o.PatternType))
		return
	}
	e, err := o.entry()
	if err != nil {
		p.skip(skipObject, err.Error())
		return
	}
	found, err := parsePattern(o.Pattern)
	if err != nil {
		p.skip(skipPattern, "not a STIX pattern")
		return
	}
	for _, what := range found.unknown {
		p.skip(skipPattern, plainText(what))
	}
	e.actor = actor
	if len(found.unchecked) > 0 {
		e.description = joinTexts(e.description, plainText("not looked at: "+strings.Join(found.unchecked, ", ")))
	}
	for _, prefix := range found.prefixes {
		e.prefix = prefix
		p.entries = append(p.entries, e)
	}
}

// entry reads all but the pattern.
func (o *stixObject) entry() (e entry, err error) {
	if e.from, err = parseDate(o.ValidFrom, false); err != nil {
		return e, fmt.Errorf("valid_from is no date")
	}
	if e.until, err = parseDate(o.ValidUntil, false); err != nil {
		return e, fmt.Errorf("valid_until is no date")
	}
	if o.Confidence != nil && *o.Confidence >= 0 && *o.Confidence <= 100 {
		e.confidence = uint8(*o.Confidence)
	}
	e.description = plainText(o.Name)
	if e.description == "" {
		e.description = plainText(o.Description)
	}
	return e, nil
}
