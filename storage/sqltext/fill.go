package sqltext

import "strings"

// Fill writes values in the place of parameters, {name:Type}, so that the query can be
// pasted into any client. A parameter without a value stays.
func Fill(query string, values map[string]string) string {
	var s strings.Builder
	tokens := Tokens(query)
	for i := 0; i < len(tokens); {
		name, typ, n := parameter(tokens[i:])
		value, ok := values[name]
		if n == 0 || !ok {
			s.WriteString(tokens[i].Text)
			i++
			continue
		}
		s.WriteString(Literal(value))
		if typ != "String" {
			s.WriteString("::" + typ)
		}
		i += n
	}
	return s.String()
}

// parameter reads a parameter at the beginning of tokens: its name, its type, and how
// many tokens it takes; 0 where there is none.
func parameter(tokens []Token) (name, typ string, n int) {
	if len(tokens) < 5 || tokens[0].Text != "{" || tokens[1].Kind != Word || tokens[2].Text != ":" {
		return "", "", 0
	}
	var s strings.Builder
	for i, t := range tokens[3:] {
		switch {
		case t.Text == "}":
			return tokens[1].Text, strings.TrimSpace(s.String()), i + 4
		case t.Kind == Semicolon:
			return "", "", 0
		}
		s.WriteString(t.Text)
	}
	return "", "", 0
}

// Literal is a string of SQL that holds the text.
func Literal(text string) string { return "'" + literal.Replace(text) + "'" }

var literal = strings.NewReplacer(`\`, `\\`, `'`, `\'`, "\n", `\n`, "\r", `\r`, "\t", `\t`, "\x00", `\0`)
