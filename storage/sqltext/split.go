package sqltext

import "strings"

// Statement is one of several that a text holds.
type Statement struct {
	// Text is without the semicolon and the space around it.
	Text string
	// Start is where it begins in the whole text, in bytes.
	Start int
	// Ended says that a semicolon followed.
	Ended bool
}

// Split separates the statements of a text at its semicolons, those in strings, names
// and comments left alone. A statement of nothing but comments is none.
func Split(text string) []Statement {
	var all []Statement
	begin, something := -1, false
	add := func(end int, ended bool) {
		if something {
			all = append(all, Statement{Text: strings.TrimRight(text[begin:end], spaces), Start: begin, Ended: ended})
		}
		begin, something = -1, false
	}
	for _, t := range Tokens(text) {
		switch t.Kind {
		case Semicolon:
			add(t.Start, true)
			continue
		case Space:
			continue
		case Comment:
		default:
			something = true
		}
		if begin < 0 {
			begin = t.Start
		}
	}
	add(len(text), false)
	return all
}

// Complete tells whether a person who types text line by line has finished: nothing but
// space or comments follows the last semicolon, or there is nothing at all.
func Complete(text string) bool {
	open := false
	for _, t := range Tokens(text) {
		switch t.Kind {
		case Space:
		case Comment:
			open = open || t.Unclosed
		case Semicolon:
			open = false
		default:
			open = true
		}
	}
	return !open
}

// OneLine is the same query without comments and line breaks.
func OneLine(query string) string {
	var s strings.Builder
	for _, t := range Tokens(query) {
		switch t.Kind {
		case Space, Comment:
			if s.Len() > 0 && !strings.HasSuffix(s.String(), " ") {
				s.WriteByte(' ')
			}
		case Text:
			if t.Text[0] == '\'' {
				s.WriteString(lineBreaks.Replace(t.Text))
				continue
			}
			s.WriteString(t.Text)
		default:
			s.WriteString(t.Text)
		}
	}
	return strings.TrimSpace(s.String())
}

// lineBreaks writes those in a string as escapes.
var lineBreaks = strings.NewReplacer("\n", `\n`, "\r", `\r`)
