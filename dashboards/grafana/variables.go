package grafana

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
)

// Value is what a variable is set to. The zero Value is an empty text.
type Value struct {
	list []string
	many bool
}

// allValue is what Grafana puts in the place of "All".
const allValue = "$__all"

// All is the choice "All".
func All() Value { return Value{[]string{allValue}, true} }

// Text is the value of a variable with one value, as of type textbox.
func Text(s string) Value { return Value{list: []string{s}} }

// List is the value of a variable with "multi"; one element is still a list.
func List(s ...string) Value { return Value{s, true} }

// String gives the values, separated by commas.
func (v Value) String() string { return strings.Join(v.list, ",") }

// empty says whether $__conditionalAll drops its condition for the value.
func (v Value) empty() bool {
	s := v.String()
	return s == "" || s == allValue
}

// Variables are the values of a dashboard's variables, by name.
type Variables map[string]Value

var variable = regexp.MustCompile(`\$\{(\w+)(?::([^}]+))?\}`)

// Browser does what the plugin does in the browser: $__conditionalAll first, then
// the variables. A variable that is not defined, or stands without one of the
// formats percentencode, singlequote and sqlstring, is an error: its value would
// reach ClickHouse as SQL.
func (vars Variables) Browser(sql string) (string, error) {
	sql, err := vars.conditionalAll(sql)
	if err != nil {
		return "", err
	}
	var first error
	sql = variable.ReplaceAllStringFunc(sql, func(s string) string {
		m := variable.FindStringSubmatch(s)
		value, ok := vars[m[1]]
		if !ok {
			first = orFirst(first, fmt.Errorf("variable %s is not defined", m[1]))
			return s
		}
		text, err := value.format(m[2])
		if err != nil {
			first = orFirst(first, fmt.Errorf("variable %s: %w", m[1], err))
		}
		return text
	})
	return sql, first
}

func orFirst(first, err error) error {
	if first != nil {
		return first
	}
	return err
}

// conditionalAll expands $__conditionalAll(condition, $variable), the last one
// first, as the plugin does.
func (vars Variables) conditionalAll(sql string) (string, error) {
	const macro = "$__conditionalAll("
	for {
		at := strings.LastIndex(sql, macro)
		if at < 0 {
			return sql, nil
		}
		args, end := browserArgs(sql, at+len(macro))
		if len(args) != 2 {
			return "", fmt.Errorf("$__conditionalAll takes a condition and a variable, not %d arguments", len(args))
		}
		name := strings.TrimPrefix(strings.TrimSpace(args[1]), "$")
		value, ok := vars[name]
		if !ok {
			return "", fmt.Errorf("$__conditionalAll: variable %s is not defined", name)
		}
		condition := args[0]
		if value.empty() {
			condition = "1=1"
		}
		sql = sql[:at] + condition + sql[end:]
	}
}

// conditions are those of every $__conditionalAll. The plugin puts each one into the
// statement as it stands, so one with OR needs parentheses of its own.
func conditions(sql string) (all []string) {
	const macro = "$__conditionalAll("
	for {
		_, rest, found := strings.Cut(sql, macro)
		if !found {
			return all
		}
		if args, _ := browserArgs(rest, 0); len(args) > 0 {
			all = append(all, args[0])
		}
		sql = rest
	}
}

// withoutParentheses leaves out what stands in parentheses.
func withoutParentheses(sql string) string {
	var out strings.Builder
	depth := 0
	for _, c := range sql {
		switch {
		case c == '(':
			depth++
		case c == ')':
			depth--
		case depth == 0:
			out.WriteRune(c)
		}
	}
	return out.String()
}

// browserArgs splits the arguments that start at index start, and gives the index
// after the closing parenthesis. Like the plugin, it counts parentheses and
// commas in string literals too.
func browserArgs(sql string, start int) (args []string, end int) {
	depth, from := 1, start
	for i := start; i < len(sql); i++ {
		switch sql[i] {
		case '(':
			depth++
		case ')':
			depth--
		}
		switch {
		case depth == 0:
			return append(args, sql[from:i]), i + 1
		case depth == 1 && sql[i] == ',':
			args = append(args, sql[from:i])
			from = i + 1
		}
	}
	return nil, len(sql)
}

// format writes the value as Grafana's format of that name does. Neither
// singlequote nor sqlstring escapes a backslash, which ClickHouse reads as the
// start of an escape: percentencode inside decodeURLComponent('…') is the one
// that holds for every value.
func (v Value) format(name string) (string, error) {
	switch name {
	case "percentencode":
		if v.many {
			return percentEncode("{" + v.String() + "}"), nil
		}
		return percentEncode(v.String()), nil
	case "singlequote":
		return v.quoted(strings.NewReplacer(`'`, `\'`)), nil
	case "sqlstring":
		return v.quoted(strings.NewReplacer(`'`, `''`, `"`, `\"`)), nil
	case "":
		return "", fmt.Errorf("no format: write ${name:percentencode}")
	default:
		return "", fmt.Errorf("format %q is not one that is safe in SQL", name)
	}
}

func (v Value) quoted(escape *strings.Replacer) string {
	quoted := make([]string, len(v.list))
	for i, s := range v.list {
		quoted[i] = "'" + escape.Replace(s) + "'"
	}
	return strings.Join(quoted, ",")
}

// percentEncode is JavaScript's encodeURIComponent with !'()* encoded too.
func percentEncode(s string) string {
	return strings.ReplaceAll(url.QueryEscape(s), "+", "%20")
}
