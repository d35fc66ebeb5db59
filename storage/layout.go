package storage

import (
	"fmt"
	"regexp"
	"strings"
	"text/template"
)

// layout is how the tables are made: on one server, or on every node of a cluster, where
// a local table holds the node's share and a Distributed one of the plain name shows
// them all. Migrations are templates of its methods.
type layout struct {
	// cluster is the name of the cluster; empty: one server.
	cluster string
	// replicated: the nodes of a shard hold the same, kept so by ClickHouse Keeper.
	replicated bool
	// partition is how flows is partitioned; empty: by day.
	partition Partition
}

// localSuffix ends the name of a table that holds a node's share.
const localSuffix = "_local"

// Table is the name of the table that holds the rows of name.
func (l layout) Table(name string) string {
	if l.cluster == "" {
		return name
	}
	return name + localSuffix
}

// shardingKeys say to which shard a row goes that is inserted into a Distributed table.
// Rows that replace one another have the same. Flows, and what the views make of them,
// go there only by hand: the writer inserts into the shards itself.
var shardingKeys = map[string]string{
	"flows":                "rand()",
	"watched_flows":        "cityHash64(asset)",
	"conversations_minute": "cityHash64(asset)",
	"conversations_hour":   "cityHash64(asset)",
	"traffic_minute":       "cityHash64(exporter)",
	"asset_peers":          "cityHash64(asset)",
	"zone_countries":       "cityHash64(zone)",
	"zone_asns":            "cityHash64(zone)",
	"exporter_activity":    "cityHash64(exporter)",
	"exporter_minute":      "cityHash64(exporter)",
	"exporter_durations":   "cityHash64(exporter)",
	"device_minute":        "cityHash64(device)",
	"exporter_health":      "cityHash64(exporter)",
	"findings":             "cityHash64(id)",
	"incidents":            "cityHash64(id)",
	"silences":             "cityHash64(id)",
	"approvals":            "cityHash64(id)",
	"indicators":           "cityHash64(list, indicator)",
	"detect_progress":      "cityHash64(detector)",
	"sessions":             "cityHash64(asset)",
	"pair_hours":           "cityHash64(asset)",
	"history_hours":        "cityHash64(hour)",
}

// tableStatement is one that makes or changes a table that holds rows.
var tableStatement = regexp.MustCompile(`^(?:CREATE TABLE IF NOT EXISTS|ALTER TABLE) (\w+)` + localSuffix + `\b`)

// tableComment is the description at the end of such a statement.
var tableComment = regexp.MustCompile(`(?s)\nCOMMENT ('(?:[^'\\]|\\.)*')$`)

// distributed is the statement that makes the Distributed table over the one that the
// statement makes or changes; empty where there is none to make. comments are those of
// the tables so far.
func (l layout) distributed(statement string, comments map[string]string) (string, error) {
	m := tableStatement.FindStringSubmatch(statement)
	if l.cluster == "" || m == nil {
		return "", nil
	}
	name := m[1]
	if c := tableComment.FindStringSubmatch(statement); c != nil {
		comments[name] = c[1]
	}
	key, ok := shardingKeys[name]
	if !ok || comments[name] == "" {
		return "", fmt.Errorf("table %s has no comment, or no sharding key: see shardingKeys", name)
	}
	return fmt.Sprintf("CREATE OR REPLACE TABLE %[1]s AS %[1]s%[2]s\nENGINE = Distributed(%[3]s, currentDatabase(), %[1]s%[2]s, %[4]s)\nCOMMENT %[5]s",
		name, localSuffix, quoteText(l.cluster), key, comments[name]), nil
}

// Engine is the engine of a table that holds rows, of the MergeTree family.
func (l layout) Engine(name string, arguments ...string) string {
	if l.replicated {
		// Where the replicas of a table meet in Keeper, and which of them this one is: macros
		// that every node of a cluster defines.
		arguments = append([]string{"'/clickhouse/tables/{shard}/{database}/{table}'", "'{replica}'"}, arguments...)
		name = "Replicated" + name
	}
	if len(arguments) == 0 {
		return name
	}
	return name + "(" + strings.Join(arguments, ", ") + ")"
}

// Deduplication are the settings by which a table knows the last 10,000 inserts again,
// however long ago they were: what waits for a shard that is away may have been stored
// before.
func (l layout) Deduplication() string {
	if l.replicated {
		return "replicated_deduplication_window = 10000, replicated_deduplication_window_seconds = 2592000"
	}
	return "non_replicated_deduplication_window = 10000"
}

// period is what conversations are added up by.
type period struct {
	layout
	Unit string // minute or hour
}

// Start is how ClickHouse's functions name the unit: toStartOfMinute.
func (p period) Start() string { return strings.ToUpper(p.Unit[:1]) + p.Unit[1:] }

// By gives the layout to a part that is the same for minutes and hours.
func (l layout) By(unit string) period { return period{l, unit} }

// render fills in a migration, which may use the parts that several have in common.
func (l layout) render(parts *template.Template, name, text string) (string, error) {
	t, err := parts.Clone()
	if err == nil {
		t, err = t.New(name).Parse(text)
	}
	if err != nil {
		return "", fmt.Errorf("read migration %s: %w", name, err)
	}
	var s strings.Builder
	if err := t.Execute(&s, l); err != nil {
		return "", fmt.Errorf("fill in migration %s: %w", name, err)
	}
	return s.String(), nil
}
