package intel

import (
	"fmt"
	"strings"
)

// token is a word of a STIX pattern. text of a string has no quotes and no escapes.
type token struct {
	kind byte // one of those below, or the character itself: [ ] ( ) , = < >
	text string
}

const (
	tokenEnd    = 'e'
	tokenWord   = 'w' // AND, ISSUBSET, 42, ipv4-addr:value
	tokenString = 's' // '198.51.100.7', t'2026-11-18T10:00:00Z'
)

// lex cuts a pattern into tokens. The end of the pattern is the last one.
func lex(pattern string) ([]token, error) {
	var all []token
	for i := 0; i < len(pattern); {
		switch c := pattern[i]; {
		case strings.IndexByte(" \t\r\n", c) >= 0:
			i++
		case strings.IndexByte("[](),=<>", c) >= 0:
			all = append(all, token{c, pattern[i : i+1]})
			i++
		case c == '!' && strings.HasPrefix(pattern[i:], "!="):
			all = append(all, token{'!', "!="})
			i += 2
		case c == '\'':
			text, length, err := quoted(pattern[i:])
			if err != nil {
				return nil, err
			}
			if n := len(all) - 1; n >= 0 && len(all[n].text) == 1 && all[n].kind == tokenWord && strings.Contains("bht", all[n].text) {
				all[n] = token{tokenString, text} // a literal with its type before it: t'…'
			} else {
				all = append(all, token{tokenString, text})
			}
			i += length
		default:
			length, err := word(pattern[i:])
			if err != nil {
				return nil, err
			}
			all = append(all, token{tokenWord, pattern[i : i+length]})
			i += length
		}
	}
	return append(all, token{kind: tokenEnd}), nil
}

// quoted reads a string in quotes; length counts the quotes and escapes too.
func quoted(text string) (value string, length int, err error) {
	var s strings.Builder
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '\'':
			return s.String(), i + 1, nil
		case '\\':
			if i++; i == len(text) {
				break
			}
			s.WriteByte(text[i])
		default:
			s.WriteByte(text[i])
		}
	}
	return "", 0, fmt.Errorf("a quote is not closed")
}

// word gives the length of the word at the beginning of the text. An object path may
// have quoted and indexed steps: x509-certificate:hashes.'SHA-256', protocols[*].
func word(text string) (length int, err error) {
	for i := 0; i < len(text); {
		switch c := text[i]; {
		case c == '\'' && i > 0 && text[i-1] == '.':
			_, n, err := quoted(text[i:])
			if err != nil {
				return 0, err
			}
			i += n
		case c == '[' && strings.ContainsRune(text[:i], ':'):
			n := strings.IndexByte(text[i:], ']')
			if n < 0 {
				return 0, fmt.Errorf("a bracket is not closed")
			}
			i += n + 1
		case strings.IndexByte(" \t\r\n[](),=<>!'", c) >= 0:
			if i == 0 {
				return 0, fmt.Errorf("%q has no place in a pattern", c)
			}
			return i, nil
		default:
			i++
		}
	}
	return len(text), nil
}
