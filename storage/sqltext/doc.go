// Package sqltext reads the text of queries as far as a client must: it takes it apart
// into tokens (ClickHouse's rules, src/Parsers/Lexer.cpp), separates statements, finds
// the clauses that are meant for the client, and tells places in lines and columns. It
// does not parse SQL.
package sqltext
