package sqltext

import (
	"strings"
	"unicode/utf8"
)

// Place is a place in a text, for people.
type Place struct {
	// Line and Column count from 1, the column in characters. 0: not known.
	Line, Column int
	// Source is the whole line.
	Source string
}

// PlaceOf tells where the byte at offset is; an offset beyond the text is its end.
func PlaceOf(text string, offset int) Place {
	offset = max(0, min(offset, len(text)))
	begin := strings.LastIndexByte(text[:offset], '\n') + 1
	source, _, _ := strings.Cut(text[begin:], "\n")
	return Place{
		Line:   strings.Count(text[:begin], "\n") + 1,
		Column: utf8.RuneCountInString(text[begin:offset]) + 1,
		Source: strings.TrimRight(source, "\r"),
	}
}

// maxShown is how many characters of a line Caret shows.
const maxShown = 100

// Caret gives the line, and below it a caret that points at the place. Of a long line it
// gives the part around the place.
func (p Place) Caret() (line, caret string) {
	all := []rune(strings.ReplaceAll(p.Source, "\t", " "))
	at := min(max(p.Column-1, 0), len(all))
	from := 0
	if len(all) > maxShown {
		from = max(0, min(at-maxShown/2, len(all)-maxShown))
		all = all[from : from+maxShown]
	}
	return string(all), strings.Repeat(" ", at-from) + "^"
}

// FindName gives the offset of a name, as a word or in quotes, and whether it is there.
// A name with dots, as a.b, is found where it stands so.
func FindName(query, name string) (int, bool) {
	parts := strings.Split(name, ".")
	tokens := Tokens(query)
	for i := range tokens {
		if nameAt(tokens[i:], parts) {
			return tokens[i].Start, true
		}
	}
	return 0, false
}

// nameAt tells whether tokens begin with the parts of a name, dots between them.
func nameAt(tokens []Token, parts []string) bool {
	for i, part := range parts {
		if 2*i >= len(tokens) || bare(tokens[2*i]) != part || i > 0 && tokens[2*i-1].Text != "." {
			return false
		}
	}
	return true
}

// bare is a name without its quotes; nothing for what is no name.
func bare(t Token) string {
	switch {
	case t.Kind == Word:
		return t.Text
	case t.Kind == Name && !t.Unclosed:
		return t.Text[1 : len(t.Text)-1]
	}
	return ""
}
