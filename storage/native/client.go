package native

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"iter"
	"sync"
	"time"
)

// Compression is how blocks go over the network.
type Compression uint8

const (
	// Uncompressed sends the columns as they are in memory: the cheapest for the
	// client, and on loopback for both.
	Uncompressed Compression = iota
	// LZ4 sends fewer bytes, for more than twice the client's processor time: for a
	// server across a network.
	LZ4
)

// Options say which ClickHouse to insert into.
type Options struct {
	// Addresses are host:port of the native protocol, tried in order.
	Addresses []string
	// Database holds the tables.
	Database           string
	Username, Password string
	// TLS is nil for plain TCP. An empty ServerName takes the address's host.
	TLS         *tls.Config
	Compression Compression
}

const (
	// dialTimeout bounds connecting to one address, without the server's greeting.
	dialTimeout = 5 * time.Second
	// helloTimeout bounds the greeting: longer than the embedded engine's gateway
	// waits for an engine that is being started.
	helloTimeout = 20 * time.Second
	// maxIdle bounds the connections that are kept between inserts.
	maxIdle = 4
)

// Client inserts blocks. It connects when it has to, keeps connections between inserts
// and gives one up after any error. Safe for concurrent use: concurrent inserts have a
// connection each.
type Client struct {
	options Options

	mu     sync.Mutex
	idle   []*conn // the latest used last
	closed bool
}

// errClosed is the error of an insert after Close.
var errClosed = errors.New("the client is closed")

// New makes a client. It does not connect.
func New(o Options) *Client { return &Client{options: o} }

// Close ends the connections that are kept, and waits for the server to end them too,
// a few seconds at most. Inserts that are still running go on; later ones fail.
func (c *Client) Close() error {
	c.mu.Lock()
	idle := c.idle
	c.idle, c.closed = nil, true
	c.mu.Unlock()
	var farewells sync.WaitGroup
	for _, conn := range idle {
		farewells.Go(conn.farewell)
	}
	farewells.Wait()
	return nil
}

// Insert is one INSERT.
type Insert struct {
	Table string
	// Columns are those that the insert names. Nil takes those of flow.Fields and of
	// the first block. What a named column has no values for in a block is zero
	// there; what is not named is as the table defaults it.
	Columns []string
	// Token makes the insert happen once, see Client.Insert. Without one ClickHouse
	// takes pieces of the very same records for repeats.
	Token string
	// Settings are sent besides those that every insert has.
	Settings []Setting
}

// Setting is a setting of ClickHouse; one that it does not know is an error.
type Setting struct{ Name, Value string }

// ErrColumns is the error of a block with a column that its insert does not name. It
// needs an insert of its own.
var ErrColumns = errors.New("a column that the insert does not name")

// Insert stores the records of the blocks in one insert. A block is taken when the one
// before has been sent, and must stay good until the next is taken or Insert returns.
//
// ClickHouse stores consecutive blocks together, in pieces of at least PieceRows
// records, and each piece wholly or not at all. An insert with the token of one that was
// sent before stores only the pieces that are missing, in the table and in those that
// its views feed. For this it must send the same blocks, in the same order: ClickHouse
// knows a piece by the token and the numbers of its blocks, and does not look at the
// records. Blocks that are split in another way are stored a second time, or are taken
// for stored when they are not. It remembers the latest pieces of a table, as many as
// non_replicated_deduplication_window says.
//
// An *Exception in the error is ClickHouse's answer. ErrEmpty, ErrColumns and the
// errors of blocks are passed on wrapped. Anything else means that ClickHouse could not
// be reached or went away; what is stored then is not known, and the insert can be
// repeated. When ctx ends the connection is ended in order and the error wraps ctx's
// cause. There is no timeout but ctx.
func (c *Client) Insert(ctx context.Context, in Insert, blocks iter.Seq2[*Block, error]) error {
	next, stop := iter.Pull2(blocks)
	defer stop()
	first, err, ok := next()
	switch {
	case !ok:
		return fmt.Errorf("insert into %s: %w", in.Table, ErrEmpty)
	case err != nil:
		return fmt.Errorf("insert into %s: %w", in.Table, err)
	}
	i := insertion{Insert: in, block: first, next: next}
	if i.Columns == nil {
		i.Columns = defaultColumns(first)
	}
	if err := c.insert(ctx, &i); err != nil {
		return fmt.Errorf("insert into %s: %w", in.Table, err)
	}
	return nil
}

// One is what Client.Insert takes, of one block.
func One(b *Block) iter.Seq2[*Block, error] {
	return func(yield func(*Block, error) bool) { yield(b, nil) }
}

func (c *Client) insert(ctx context.Context, i *insertion) error {
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	conn, kept, err := c.get(ctx)
	if err != nil {
		return err
	}
	err = c.insertOver(ctx, conn, i)
	if kept && err != nil && !i.begun && !isException(err) && ctx.Err() == nil {
		// The server had given the kept connection up, and has no record yet.
		if conn, err = c.dial(ctx); err != nil {
			return err
		}
		err = c.insertOver(ctx, conn, i)
	}
	return err
}

// insertOver runs the insert and keeps the connection or gives it up.
func (c *Client) insertOver(ctx context.Context, conn *conn, i *insertion) error {
	stop := context.AfterFunc(ctx, conn.interrupt)
	err := conn.insert(ctx, i)
	if interrupted := !stop(); interrupted || err != nil {
		go conn.farewell()
		if err != nil && ctx.Err() != nil && !isException(err) {
			return fmt.Errorf("%w (%w)", context.Cause(ctx), err)
		}
		return err
	}
	c.put(conn)
	return nil
}

// get takes a kept connection, or dials.
func (c *Client) get(ctx context.Context) (_ *conn, kept bool, err error) {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return nil, false, errClosed
	}
	if last := len(c.idle) - 1; last >= 0 {
		conn := c.idle[last]
		c.idle = c.idle[:last]
		c.mu.Unlock()
		return conn, true, nil
	}
	c.mu.Unlock()
	conn, err := c.dial(ctx)
	return conn, false, err
}

func (c *Client) put(conn *conn) {
	c.mu.Lock()
	keep := !c.closed && len(c.idle) < maxIdle
	if keep {
		c.idle = append(c.idle, conn)
	}
	c.mu.Unlock()
	if !keep {
		go conn.farewell()
	}
}
