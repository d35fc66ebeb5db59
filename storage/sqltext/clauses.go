package sqltext

import "strings"

// Clauses are the parts of a query that a client acts on.
type Clauses struct {
	// Verb is the first keyword, in capitals: SELECT, WITH, INSERT, SET.
	Verb string
	// Format is the name after FORMAT, as written; empty none.
	Format string
	// Outfile says that INTO OUTFILE stands in the query.
	Outfile bool
}

// ClausesOf finds them in one statement. FORMAT and INTO OUTFILE count at the end of the
// statement alone, outside all brackets.
func ClausesOf(query string) Clauses {
	var c Clauses
	tokens := significant(query)
	depth := 0
	for i, t := range tokens {
		if c.Verb == "" && t.Kind == Word {
			c.Verb = strings.ToUpper(t.Text)
			continue
		}
		switch {
		case t.Kind == Open:
			depth++
		case t.Kind == Close:
			depth--
		case t.Kind != Word || depth > 0:
		case t.Is("INTO") && i+2 < len(tokens) && tokens[i+1].Is("OUTFILE") && tokens[i+2].Kind == Text:
			c.Outfile = true
		case t.Is("FORMAT") && formatAt(tokens, i):
			c.Format = tokens[i+1].Text
		}
	}
	if c.Verb == "INSERT" {
		c.Format = "" // says what its data is like
	}
	return c
}

// formatAt tells whether the word FORMAT at i begins the clause, and is not a name.
func formatAt(tokens []Token, i int) bool {
	if i+1 >= len(tokens) || tokens[i+1].Kind != Word || tokens[i-1].Is("AS") || tokens[i-1].Text == "." {
		return false
	}
	return i+2 == len(tokens) || tokens[i+2].Is("SETTINGS") || tokens[i+2].Is("INTO")
}

// significant are the tokens but space and comments.
func significant(query string) []Token {
	var all []Token
	for _, t := range Tokens(query) {
		if t.Kind != Space && t.Kind != Comment {
			all = append(all, t)
		}
	}
	return all
}
