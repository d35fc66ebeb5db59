package hunts_test

import (
	"fmt"
	"net/netip"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"tapwatch/hunts"
	"tapwatch/internal/testkit"
	"tapwatch/simulate"
	"tapwatch/storage"
)

// expected is what a hunt must find of the campaign.
type expected struct {
	// values are the parameters; since is the evening unless they say otherwise.
	values map[string]string
	// intrusion is the planted one, ports those of its conversations to look for; none:
	// all of them. Any one of several conversations between the same ends will do.
	intrusion string
	ports     []uint16
	by        netip.Addr // only those with this client; zero any
	// client, server and port are the columns that hold the ends; empty: none does.
	client, server, port string
	// overview hunts may show anything first; of all others the first row, or so many
	// first rows, must be planted.
	overview bool
	first    int
	// check looks at the rows further.
	check func(t *testing.T, c *campaign, rows []row)
}

// row is a row of a hunt as text, by column.
type row map[string]string

// TestCampaign asks all of one campaign: storing it takes longer than the questions.
func TestCampaign(t *testing.T) {
	c := newCampaign(t)
	reader := testkit.Reader(t, c.store)
	t.Run("hunts", func(t *testing.T) { findWhatIsPlanted(t, c, reader) })
	t.Run("amounts", func(t *testing.T) { countOnce(t, reader) })
	t.Run("document", func(t *testing.T) { documented(t, c, reader) })
}

// findWhatIsPlanted runs every hunt.
func findWhatIsPlanted(t *testing.T, c *campaign, reader *storage.Store) {
	wanted := wanted()
	for _, h := range hunts.All() {
		t.Run(h.Name, func(t *testing.T) {
			want, ok := wanted[h.Name]
			if !ok {
				t.Fatal("no entry in wanted says what the hunt must find")
			}
			began := time.Now()
			rows := ask(t, reader, h, want.values)
			t.Logf("%d rows in %s", len(rows), time.Since(began).Round(time.Millisecond))
			if len(rows) == 0 {
				t.Fatal("no rows")
			}
			for i, r := range rows[:min(3, len(rows))] {
				t.Logf("row %d: %v", i+1, r)
			}
			readable(t, rows)
			usesTheKey(t, reader, h, want.values)
			want.look(t, c, rows)
		})
		delete(wanted, h.Name)
	}
	for name := range wanted {
		t.Errorf("there is no hunt %s", name)
	}
}

// ask runs a hunt as the command and the console do, at the end of the evening.
func ask(t *testing.T, store *storage.Store, h hunts.Hunt, values map[string]string) []row {
	t.Helper()
	return query(t, store, h.SQL, bind(t, h, values))
}

// timeInKey is a condition on the time in the key of a table.
var timeInKey = regexp.MustCompile(`\((toStartOf(FiveMinutes|Hour)\(received_at\)|at) in \[`)

// firstSeen are the tables that are read as a whole: they have a row for each pair of
// ends that ever was, whatever the times.
var firstSeen = regexp.MustCompile(`\.(asset_peers|zone_countries|zone_asns)\)`)

// usesTheKey: a hunt reads no more of a table than its times ask for.
func usesTheKey(t *testing.T, store *storage.Store, h hunts.Hunt, values map[string]string) {
	t.Helper()
	reads, bounded, key := 0, 0, false
	for _, r := range query(t, store, "EXPLAIN indexes = 1\n"+h.SQL, bind(t, h, values)) {
		switch line := r["explain"]; {
		case strings.Contains(line, "ReadFromMergeTree") && !strings.Contains(line, ".findings") && !firstSeen.MatchString(line):
			reads++
		case strings.Contains(line, "PrimaryKey"):
			key = true
		case key && strings.Contains(line, "Condition: "):
			key = false
			if timeInKey.MatchString(line) {
				bounded++
			}
		}
	}
	if bounded < reads {
		t.Errorf("of %d reads only %d use the primary key", reads, bounded)
	}
}

// bind completes the values for the end of the evening.
func bind(t *testing.T, h hunts.Hunt, values map[string]string) []any {
	t.Helper()
	all := map[string]string{}
	for _, p := range h.Params {
		if p.Name == "since" {
			all["since"] = eveningStart.Format(time.RFC3339)
		}
	}
	for name, v := range values {
		all[name] = v
	}
	bound, err := h.Bind(all, eveningEnd)
	if err != nil {
		t.Fatal(err)
	}
	var args []any
	for name, v := range bound {
		args = append(args, clickhouse.Named(name, v))
	}
	return args
}

// query gives the rows of a query as text.
func query(t *testing.T, store *storage.Store, sql string, args []any) []row {
	t.Helper()
	result, err := store.Query(t.Context(), sql, args...)
	if err != nil {
		t.Fatal(err)
	}
	defer result.Close()
	var rows []row
	for result.Next() {
		targets := make([]any, len(result.Columns()))
		for i, column := range result.ColumnTypes() {
			targets[i] = reflect.New(column.ScanType()).Interface()
		}
		if err := result.Scan(targets...); err != nil {
			t.Fatal(err)
		}
		r := row{}
		for i, name := range result.Columns() {
			r[name] = fmt.Sprint(reflect.ValueOf(targets[i]).Elem().Interface())
		}
		rows = append(rows, r)
	}
	if err := result.Err(); err != nil {
		t.Fatal(err)
	}
	return rows
}

// readable: no row shows an IPv4 address as IPv6, or a time that was not.
func readable(t *testing.T, rows []row) {
	t.Helper()
	for _, r := range rows {
		for column, v := range r {
			if column != "evidence" && strings.Contains(v, "::ffff:") {
				t.Fatalf("column %s shows %s", column, v)
			}
			if (column == "first_seen" || column == "last_seen" || column == "began" || column == "ended") && strings.HasPrefix(v, "19") {
				t.Fatalf("column %s shows %s", column, v)
			}
		}
	}
}

func (e *expected) look(t *testing.T, c *campaign, rows []row) {
	t.Helper()
	if e.intrusion != "" {
		sought := 0
		for i := range c.labels {
			if c.labels[i].ID != e.intrusion {
				continue
			}
			for _, conversation := range c.labels[i].Conversations {
				if len(e.ports) > 0 && !slices.Contains(e.ports, conversation.ServerPort) || e.by.IsValid() && conversation.Client != e.by {
					continue
				}
				sought++
				if !slices.ContainsFunc(rows, func(r row) bool { return e.shows(c, r, &conversation) }) {
					t.Fatalf("no row shows %+v of %s", conversation, e.intrusion)
				}
			}
		}
		if sought == 0 {
			t.Fatalf("no conversation of %s is planted on the ports %v", e.intrusion, e.ports)
		}
	}
	if !e.overview && e.intrusion != "" {
		for i, r := range rows[:min(max(1, e.first), len(rows))] {
			if !e.planted(c, r) {
				t.Errorf("row %d is of the background: %v", i+1, r)
			}
		}
	}
	if e.check != nil {
		e.check(t, c, rows)
	}
}

// shows tells whether the row is about the conversation.
func (e *expected) shows(c *campaign, r row, conversation *simulate.LabelledConversation) bool {
	return c.called(conversation.Client, r, e.client) && c.called(conversation.Server, r, e.server) &&
		(e.port == "" || holds(r[e.port], strconv.Itoa(int(conversation.ServerPort))))
}

// planted tells whether the row is about anything that an intruder does.
func (e *expected) planted(c *campaign, r row) bool {
	return slices.ContainsFunc(c.labels, func(l simulate.Label) bool {
		return slices.ContainsFunc(l.Conversations, func(conversation simulate.LabelledConversation) bool {
			return e.shows(c, r, &conversation)
		})
	})
}

// called tells whether the column names the address or its asset.
func (c *campaign) called(a netip.Addr, r row, column string) bool {
	name := c.names[a]
	return column == "" || holds(r[column], a.String()) || name != "" && holds(r[column], name)
}

// holds tells whether a value is the text, or a list that has it.
func holds(value, text string) bool {
	if value == text {
		return true
	}
	list, ok := strings.CutPrefix(value, "[")
	return ok && slices.Contains(strings.Fields(strings.TrimSuffix(list, "]")), text)
}

// near tells whether two amounts are within a tenth of each other.
func near(a string, b uint64) bool {
	n, err := strconv.ParseFloat(a, 64)
	return err == nil && n > 0 && n >= float64(b)*0.9 && n <= float64(b)*1.1
}

// TestTextReachesClickHouse: what somebody typed comes to the query as it is.
func TestTextReachesClickHouse(t *testing.T) {
	h := hunts.Hunt{SQL: "SELECT {p:String} AS p", Params: []hunts.Param{{Name: "p", Type: hunts.String, Required: true}}}
	reader := testkit.Reader(t, testkit.Store(t))
	for _, text := range []string{"", "it's", `a\b\t`, "a\tb\nc", "{p:String}", "'; DROP TABLE flows --", "ü"} {
		if rows := ask(t, reader, h, map[string]string{"p": text}); rows[0]["p"] != text {
			t.Errorf("%q arrives as %q", text, rows[0]["p"])
		}
	}
}
