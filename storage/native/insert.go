package native

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ClickHouse/ch-go/proto"
)

// PieceRows is how many records ClickHouse gathers of an insert's blocks before it
// stores them, as one piece. A bigger block is a piece by itself.
const PieceRows = 1 << 18

// everyInsert are the settings that every insert has.
var everyInsert = []Setting{
	{"async_insert", "0"},
	{"insert_deduplicate", "1"},
	{"deduplicate_blocks_in_dependent_materialized_views", "1"},
	// A replay may span more days than ClickHouse expects of one insert.
	{"max_partitions_per_insert_block", "0"},
	// Pieces must be the same when the insert is repeated, perhaps to another release
	// of ClickHouse: so they are cut by records alone, and not by its idea of bytes.
	{"min_insert_block_size_rows", strconv.Itoa(PieceRows)},
	{"min_insert_block_size_bytes", "0"},
}

// insertion is an Insert on its way.
type insertion struct {
	Insert
	block *Block // the next to be sent
	next  func() (*Block, error, bool)
	begun bool // a block may have been sent
}

// defaultColumns are those of flow.Fields, and what else the block has.
func defaultColumns(b *Block) []string {
	names := make([]string, 0, len(places)+2)
	names = append(names, delayColumn, durationColumn)
	for i := range places {
		names = append(names, places[i].name)
	}
	for i := range b.columns {
		if !slices.Contains(names, b.columns[i].name) {
			names = append(names, b.columns[i].name)
		}
	}
	return names
}

// statement is the INSERT.
func (i *insertion) statement() string {
	var s strings.Builder
	s.WriteString("INSERT INTO " + quote(i.Table) + " (")
	for n, name := range i.Columns {
		if n > 0 {
			s.WriteString(", ")
		}
		s.WriteString(quote(name))
	}
	s.WriteString(") FORMAT Native")
	return s.String()
}

// quote makes an SQL identifier of the name.
func quote(name string) string {
	return "`" + escape.Replace(name) + "`"
}

var escape = strings.NewReplacer("\\", "\\\\", "`", "\\`")

// settings are all of the insert.
func (i *insertion) settings() []proto.Setting {
	all := slices.Concat(everyInsert, i.Settings)
	if i.Token != "" {
		all = append(all, Setting{"insert_deduplication_token", i.Token})
	}
	settings := make([]proto.Setting, len(all))
	for n, s := range all {
		settings[n] = proto.Setting{Key: s.Name, Value: s.Value, Important: true}
	}
	return settings
}

// check tells whether the insert can take the block that is next.
func (i *insertion) check() error {
	if i.block.rows == 0 || len(i.block.columns) == 0 {
		return ErrEmpty
	}
	for n := range i.block.columns {
		if name := i.block.columns[n].name; !slices.Contains(i.Columns, name) {
			return fmt.Errorf("%w: %.100q", ErrColumns, name)
		}
	}
	return nil
}

// lastWords bounds how long a server that takes no more may take to say why.
const lastWords = time.Second

// insert runs the insert. After an error the connection is of no more use. Whoever ends
// ctx interrupts the connection too.
func (c *conn) insert(ctx context.Context, i *insertion) error {
	if err := i.check(); err != nil {
		return err
	}
	ready, answer := make(chan struct{}), make(chan error, 1)
	go func() { answer <- c.listen(ready) }()
	err := c.query(i)
	if err == nil {
		select {
		case <-ready:
			err = c.sendAll(i, answer)
		case err := <-answer:
			return cmp.Or(err, errors.New("clickhouse ended the insert before it began"))
		}
	}
	if err == nil {
		return <-answer
	}
	return c.reason(ctx, err, answer)
}

// reason waits for listen to end, and tells why an insert failed that was not sent to
// its end: ClickHouse may have said so before it closed the connection.
func (c *conn) reason(ctx context.Context, err error, answer <-chan error) error {
	var why *stopped
	if errors.As(err, &why) {
		if !why.answered {
			c.interrupt()
			<-answer
		}
		return why.err
	}
	if ctx.Err() == nil {
		_ = c.net.SetReadDeadline(time.Now().Add(lastWords))
	}
	if said := <-answer; isException(said) {
		return said
	}
	return err
}

// query sends the INSERT.
func (c *conn) query(i *insertion) error { return c.ask(i.statement(), i.settings()) }

// ask sends a query without external tables.
func (c *conn) ask(body string, settings []proto.Setting) error {
	compression := proto.CompressionDisabled
	if c.compression == LZ4 {
		compression = proto.CompressionEnabled
	}
	proto.Query{
		Body: body, Settings: settings, Compression: compression,
		Info: proto.ClientInfo{
			ProtocolVersion: c.revision, Major: 1, ClientName: clientName,
			Interface: proto.InterfaceTCP, Query: proto.ClientQueryInitial,
			InitialAddress: c.net.LocalAddr().String(),
		},
	}.EncodeAware(&c.out, c.revision)
	if err := c.sendBlock(&Block{}); err != nil { // no external tables
		return fmt.Errorf("send the query: %w", err)
	}
	return nil
}
