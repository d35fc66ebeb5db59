package sqltext

import (
	"strings"
	"unicode/utf8"
)

// Kind is the kind of a token.
type Kind uint8

// The kinds of tokens.
const (
	Space     Kind = iota
	Comment        // -- …, # …, #! … to the end of the line, or /* … */
	Word           // a name, keyword or number
	Text           // 'a string', or $tag$a string$tag$
	Name           // `a name` or "a name"
	Semicolon      // ;
	Open           // ( [ {
	Close          // ) ] }
	Other          // one character of any other kind
)

// Token is a part of a query.
type Token struct {
	Kind Kind
	// Text is as it stands in the query, which begins with it at byte Start.
	Text  string
	Start int
	// Unclosed says that the query ends before the string, name or comment does.
	Unclosed bool
}

// Is tells whether the token is that keyword, which is given in capitals.
func (t Token) Is(keyword string) bool { return t.Kind == Word && strings.EqualFold(t.Text, keyword) }

// Tokens takes a query apart. Their texts in a row are the query.
func Tokens(query string) []Token {
	var all []Token
	for at := 0; at < len(query); {
		t := first(query[at:])
		t.Start = at
		all = append(all, t)
		at += len(t.Text)
	}
	return all
}

// first is the token that s begins with; s is not empty.
func first(s string) Token {
	c := s[0]
	switch {
	case strings.IndexByte(spaces, c) >= 0:
		return Token{Kind: Space, Text: s[:len(s)-len(strings.TrimLeft(s, spaces))]}
	case strings.HasPrefix(s, "--"), strings.HasPrefix(s, "# "), strings.HasPrefix(s, "#!"):
		if n := strings.IndexByte(s, '\n'); n >= 0 {
			s = s[:n]
		}
		return Token{Kind: Comment, Text: s}
	case strings.HasPrefix(s, "/*"):
		return until(Comment, s, 2, "*/")
	case c == '\'':
		return quoted(Text, s)
	case c == '`' || c == '"':
		return quoted(Name, s)
	case wordByte(c):
		n := 1
		for n < len(s) && wordByte(s[n]) {
			n++
		}
		return Token{Kind: Word, Text: s[:n]}
	case c == '$':
		if tag := heredocTag(s); tag != "" {
			return until(Text, s, len(tag), tag)
		}
	}
	return Token{Kind: punctuation(c), Text: s[:character(s)]}
}

const spaces = " \t\n\r\f\v"

func punctuation(c byte) Kind {
	switch c {
	case ';':
		return Semicolon
	case '(', '[', '{':
		return Open
	case ')', ']', '}':
		return Close
	}
	return Other
}

func wordByte(c byte) bool {
	return c == '_' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// character is how many bytes the first character has.
func character(s string) int {
	_, n := utf8.DecodeRuneInString(s)
	return n
}

// until is a token that ends with an end, looked for after the first skip bytes.
func until(kind Kind, s string, skip int, end string) Token {
	n := strings.Index(s[skip:], end)
	if n < 0 {
		return Token{Kind: kind, Text: s, Unclosed: true}
	}
	return Token{Kind: kind, Text: s[:skip+n+len(end)]}
}

// quoted is a token in quotes: a backslash takes the next byte along, and two quotes
// are one.
func quoted(kind Kind, s string) Token {
	quote := s[0]
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == '\\':
			i++
		case s[i] != quote:
		case i+1 < len(s) && s[i+1] == quote:
			i++
		default:
			return Token{Kind: kind, Text: s[:i+1]}
		}
	}
	return Token{Kind: kind, Text: s, Unclosed: true}
}

// heredocTag is $…$ at the beginning of s, or nothing.
func heredocTag(s string) string {
	for i := 1; i < len(s); i++ {
		if s[i] == '$' {
			return s[:i+1]
		}
		if !wordByte(s[i]) {
			break
		}
	}
	return ""
}
