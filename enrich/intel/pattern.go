package intel

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
)

// pattern is what a STIX pattern asks for, as far as flows can tell.
type pattern struct {
	prefixes []netip.Prefix
	// unchecked are what it asks for besides, which narrows it and is not looked at:
	// ports, protocols.
	unchecked []string
	// unknown are parts that flows cannot show; the rest of the pattern may hold
	// without them.
	unknown []string
}

// parsePattern reads a pattern of STIX 2.1, part 9 (OASIS, 2021). Addresses stand in it as
// ipv4-addr:value, ipv6-addr:value, or at the end of a network-traffic:src_ref or dst_ref,
// compared by =, IN or ISSUBSET. Of addresses joined by OR, AND or FOLLOWEDBY each one is
// taken: a flow shows one at a time. What is joined by AND to something that flows do not
// show cannot be told, and then nothing of it is taken.
func parsePattern(text string) (pattern, error) {
	tokens, err := lex(text)
	if err != nil {
		return pattern{}, err
	}
	p := patternParser{tokens: tokens}
	found, err := p.observations()
	if err == nil && p.peek().kind != tokenEnd {
		err = p.unexpected()
	}
	return found, err
}

// deepest bounds how deep a pattern may be nested.
const deepest = 50

type patternParser struct {
	tokens []token
	at     int
	depth  int
}

func (p *patternParser) peek() token { return p.tokens[p.at] }

func (p *patternParser) next() token {
	t := p.tokens[p.at]
	if t.kind != tokenEnd {
		p.at++
	}
	return t
}

// is takes the next token if it is that word.
func (p *patternParser) is(words ...string) bool {
	for _, w := range words {
		if t := p.peek(); t.kind == tokenWord && strings.EqualFold(t.text, w) {
			p.at++
			return true
		}
	}
	return false
}

// takes takes the next token if it is that character.
func (p *patternParser) takes(kind byte) bool {
	if p.peek().kind != kind {
		return false
	}
	p.at++
	return true
}

func (p *patternParser) unexpected() error {
	t := p.peek()
	if t.kind == tokenEnd {
		return errors.New("the pattern ends too early")
	}
	return fmt.Errorf("%q has no place there", t.text)
}

// nested calls read one level deeper, between what was taken and closing.
func (p *patternParser) nested(closing byte, read func() (pattern, error)) (pattern, error) {
	if p.depth++; p.depth > deepest {
		return pattern{}, errors.New("it is nested too deep")
	}
	defer func() { p.depth-- }()
	found, err := read()
	if err == nil && !p.takes(closing) {
		err = p.unexpected()
	}
	return found, err
}

// observations reads observation expressions and what joins them.
func (p *patternParser) observations() (pattern, error) {
	all, err := p.observation()
	for err == nil {
		join := both
		switch {
		case p.is("OR"):
			join = either
		case p.is("AND", "FOLLOWEDBY"):
		default:
			return all, nil
		}
		var one pattern
		if one, err = p.observation(); err == nil {
			all = join(all, one)
		}
	}
	return all, err
}

func (p *patternParser) observation() (found pattern, err error) {
	switch {
	case p.takes('['):
		found, err = p.nested(']', p.comparisons)
	case p.takes('('):
		found, err = p.nested(')', p.observations)
	default:
		err = p.unexpected()
	}
	for err == nil {
		switch {
		case p.is("WITHIN"): // 600 SECONDS
			err = p.words(2)
		case p.is("REPEATS"): // 5 TIMES
			err = p.words(2)
		case p.is("START"): // t'…' STOP t'…'
			err = p.words(3)
		default:
			return found, nil
		}
	}
	return found, err
}

// words passes over so many tokens of a qualifier.
func (p *patternParser) words(n int) error {
	for range n {
		if t := p.next(); t.kind != tokenWord && t.kind != tokenString {
			return errors.New("a qualifier is not complete")
		}
	}
	return nil
}

// comparisons reads comparisons and what joins them: AND binds tighter than OR.
func (p *patternParser) comparisons() (pattern, error) {
	all, err := p.conjunction()
	for err == nil && p.is("OR") {
		var one pattern
		if one, err = p.conjunction(); err == nil {
			all = either(all, one)
		}
	}
	return all, err
}

func (p *patternParser) conjunction() (pattern, error) {
	all, err := p.comparison()
	for err == nil && p.is("AND") {
		var one pattern
		if one, err = p.comparison(); err == nil {
			all = both(all, one)
		}
	}
	return all, err
}

// both joins what must hold together: what is not known of one spoils the other.
func both(a, b pattern) pattern {
	if len(a.unknown)+len(b.unknown) > 0 {
		return pattern{unknown: append(a.unknown, b.unknown...)}
	}
	return pattern{prefixes: append(a.prefixes, b.prefixes...), unchecked: append(a.unchecked, b.unchecked...)}
}

// either joins what may hold alone. A part without addresses, such as a port alone, would
// hold for too much.
func either(a, b pattern) pattern {
	all := pattern{unknown: append(a.unknown, b.unknown...)}
	for _, p := range []pattern{a, b} {
		if len(p.prefixes) == 0 {
			all.unknown = append(all.unknown, p.unchecked...)
			continue
		}
		all.prefixes = append(all.prefixes, p.prefixes...)
		all.unchecked = append(all.unchecked, p.unchecked...)
	}
	return all
}

// comparison reads "PATH [NOT] OPERATOR VALUE", "EXISTS PATH", or comparisons in parentheses.
func (p *patternParser) comparison() (pattern, error) {
	if p.takes('(') {
		return p.nested(')', p.comparisons)
	}
	exists := p.is("EXISTS")
	path := p.next()
	if path.kind != tokenWord || !strings.Contains(path.text, ":") {
		return pattern{}, fmt.Errorf("%q is not the path of an object", path.text)
	}
	name := strings.ToLower(path.text)
	if exists {
		return pattern{unknown: []string{name}}, nil
	}
	not := p.is("NOT")
	operator, values, err := p.operation()
	if err != nil {
		return pattern{}, err
	}
	switch {
	case addressPath(name) && !not:
		return addresses(name, operator, values), nil
	case narrowing(name) && !not:
		return pattern{unchecked: []string{name + " " + operator + " " + strings.Join(values, ", ")}}, nil
	default:
		return pattern{unknown: []string{name}}, nil
	}
}

// operation reads an operator and its values.
func (p *patternParser) operation() (operator string, values []string, err error) {
	switch {
	case p.takes('='):
		operator = "="
	case p.takes('!'):
		operator = "!="
	case p.takes('<'), p.takes('>'):
		operator = "<>"
		p.takes('=')
	default:
		t := p.next()
		operator = strings.ToUpper(t.text)
		switch operator {
		case "ISSUBSET", "ISSUPERSET", "LIKE", "MATCHES":
		case "IN":
			values, err = p.set()
			return operator, values, err
		default:
			return "", nil, fmt.Errorf("%q is not an operator", t.text)
		}
	}
	v := p.next()
	if v.kind != tokenString && v.kind != tokenWord {
		return "", nil, fmt.Errorf("%q is not a value", v.text)
	}
	return operator, []string{v.text}, nil
}

// set reads "('a', 'b')".
func (p *patternParser) set() (values []string, err error) {
	if !p.takes('(') {
		return nil, p.unexpected()
	}
	for {
		v := p.next()
		if v.kind != tokenString && v.kind != tokenWord {
			return nil, fmt.Errorf("%q is not a value", v.text)
		}
		values = append(values, v.text)
		switch {
		case p.takes(','):
		case p.takes(')'):
			return values, nil
		default:
			return nil, p.unexpected()
		}
	}
}
