package hunts

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

var (
	namePattern      = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`)
	paramName        = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)
	techniquePattern = regexp.MustCompile(`^(T\d{4}(?:\.\d{3})?) (\S.*)$`)
	placePattern     = regexp.MustCompile(`\{(\w+):([^}]*)\}`)
	commentPattern   = regexp.MustCompile(`(?m)--.*$`)
)

// keys are the keys of a file's head, in the order in which they come.
var keys = []string{"title", "finds", "technique", "param"}

// parse reads a hunt's file. It is strict: see TestParseRefuses for what it refuses.
func parse(name, text string) (Hunt, error) {
	h := Hunt{Name: name}
	if !namePattern.MatchString(name) {
		return h, fmt.Errorf("the name %q is not of small letters, digits and hyphens", name)
	}
	at := 0 // index in keys of the line before
	for number := 1; ; number++ {
		line, rest, _ := strings.Cut(text, "\n")
		head, isHead := strings.CutPrefix(line, "-- ")
		if !isHead {
			break
		}
		text = rest
		key, value, _ := strings.Cut(head, ": ")
		i := slices.Index(keys, key)
		if i < 0 {
			return h, fmt.Errorf("line %d: unknown key %q; there are %s", number, key, strings.Join(keys, ", "))
		}
		if i < at || i == at && key == "finds" || i > 0 && h.Title == "" {
			return h, fmt.Errorf("line %d: %s is out of order or given twice; the order is %s", number, key, strings.Join(keys, ", "))
		}
		at = i
		if err := h.set(key, strings.TrimSpace(value)); err != nil {
			return h, fmt.Errorf("line %d: %s: %w", number, key, err)
		}
	}
	h.SQL = strings.TrimSpace(text)
	return h, h.check()
}

// set takes one line of the head.
func (h *Hunt) set(key, value string) error {
	if value == "" {
		return errors.New("is empty")
	}
	switch key {
	case "title":
		if h.Title != "" {
			return errors.New("is given twice")
		}
		h.Title = value
	case "finds":
		h.Finds = value
	case "technique":
		m := techniquePattern.FindStringSubmatch(value)
		if m == nil {
			return fmt.Errorf("%q is not a technique's number and name, such as T1021.004 SSH", value)
		}
		h.Techniques = append(h.Techniques, Technique{ID: m[1], Name: m[2]})
	case "param":
		p, err := parseParam(value)
		if err != nil {
			return err
		}
		if h.param(p.Name) != nil {
			return fmt.Errorf("%s is declared twice", p.Name)
		}
		h.Params = append(h.Params, p)
	}
	return nil
}

// parseParam reads "name Type = default; comment"; without "=" it is required.
func parseParam(text string) (Param, error) {
	declaration, comment, _ := strings.Cut(text, ";")
	left, standard, optional := strings.Cut(declaration, "=")
	name, typ, _ := strings.Cut(strings.TrimSpace(left), " ")
	p := Param{
		Name: name, Type: Type(strings.TrimSpace(typ)),
		Default: strings.TrimSpace(standard), Required: !optional, Comment: strings.TrimSpace(comment),
	}
	switch {
	case !paramName.MatchString(name):
		return p, fmt.Errorf("the name %q is not of small letters, digits and _", name)
	case kinds[p.Type].clickhouse == "":
		return p, fmt.Errorf("%s has the unknown type %q", name, p.Type)
	case p.Comment == "":
		return p, fmt.Errorf("%s: what it means is missing, after a semicolon", name)
	case optional:
		if _, err := kinds[p.Type].read(p.Default, time.Now()); err != nil {
			return p, fmt.Errorf("%s: the default %w", name, err)
		}
	}
	return p, nil
}

// check looks at the file as a whole.
func (h *Hunt) check() error {
	switch {
	case h.Title == "":
		return errors.New("the title is missing")
	case h.Finds == "":
		return errors.New("finds is missing")
	case len(h.Techniques) == 0:
		return errors.New("a technique is missing")
	case h.SQL == "":
		return errors.New("the query is missing")
	case strings.HasSuffix(h.SQL, ";"):
		return errors.New("the query ends with a semicolon")
	}
	used := map[string]bool{}
	for _, m := range placePattern.FindAllStringSubmatch(commentPattern.ReplaceAllString(h.SQL, ""), -1) {
		p := h.param(m[1])
		if p == nil {
			return fmt.Errorf("the query has the parameter %s, which is not declared", m[0])
		}
		if want := kinds[p.Type].clickhouse; m[2] != want {
			return fmt.Errorf("the query has %s, but a %s is {%s:%s}", m[0], p.Type, p.Name, want)
		}
		used[p.Name] = true
	}
	for _, p := range h.Params {
		if !used[p.Name] {
			return fmt.Errorf("the parameter %s is declared and not used", p.Name)
		}
	}
	return nil
}

// param is the parameter of that name, nil if there is none.
func (h *Hunt) param(name string) *Param {
	for i := range h.Params {
		if h.Params[i].Name == name {
			return &h.Params[i]
		}
	}
	return nil
}
