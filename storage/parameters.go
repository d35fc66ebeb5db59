package storage

import (
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2"
)

// escapeParameters gives plain texts as the values of parameters: ClickHouse reads these
// as it reads the cells of TabSeparated, where a backslash begins an escape and a tab or
// a line break ends the cell (docs: interfaces/cli, queries with parameters).
func escapeParameters(values map[string]string) clickhouse.Parameters {
	all := make(clickhouse.Parameters, len(values))
	for name, value := range values {
		all[name] = parameterEscapes.Replace(value)
	}
	return all
}

var parameterEscapes = strings.NewReplacer(`\`, `\\`, "\t", `\t`, "\n", `\n`, "\r", `\r`, "\x00", `\0`)
