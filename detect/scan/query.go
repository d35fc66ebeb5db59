package scan

import (
	_ "embed"
	"regexp"
	"strings"
)

//go:embed unreachable.sql
var unreachableSQL string

var (
	placeOfUnreachable = regexp.MustCompile(`\{unreachable:(\w+)\}`)
	columnAddr         = regexp.MustCompile(`\baddr\b`)
)

// query puts the condition of unreachable.sql into a query where it says
// {unreachable:COLUMN}.
func query(text string) string {
	_, condition, _ := strings.Cut(strings.TrimSpace(unreachableSQL), "\n")
	return placeOfUnreachable.ReplaceAllStringFunc(text, func(place string) string {
		return columnAddr.ReplaceAllString(condition, placeOfUnreachable.FindStringSubmatch(place)[1])
	})
}
