package storage

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"sync/atomic"
	"time"

	"tapwatch/flow"
	"tapwatch/storage/native"
	"tapwatch/storage/spool"
)

// insertTimeout is the default of storage.batch.timeout.
const insertTimeout = 2 * time.Minute

// newTokens gives the tokens of a writer's inserts: its name, which may be that of
// another writer by mistake, a random word for this run, and a number.
func newTokens(name string) func() string {
	run := rand.Text()
	var n atomic.Uint64
	return func() string { return name + "/" + run + "/" + strconv.FormatUint(n.Add(1), 10) }
}

// insertBatch stores the records of b in one insert, on the shard of that number. An
// insert with the token of one that was stored there, wholly or into some of the tables
// that depend on flows, stores only what is missing.
func (s *Store) insertBatch(ctx context.Context, shard int, b *flow.Batch, token string) error {
	e := s.encoders.Get().(*native.Encoder)
	defer s.encoders.Put(e)
	block, err := e.Encode(b)
	if err != nil {
		return fmt.Errorf("encode %d flows: %w", b.Len(), err)
	}
	return s.onReplica(ctx, shard, func(n *node) error {
		return s.insertBlock(ctx, n, token, block)
	})
}

// insertSegment stores the records of a segment that another tapwatch wrote, with the
// columns it knew, in one block: that is what was sent before, if anything was, and
// ClickHouse knows it again by the token and the number of the block. It tells how many
// records could not be read.
func (s *Store) insertSegment(ctx context.Context, shard int, g *spool.Segment) (corrupt int, err error) {
	r, err := g.Read()
	if err != nil {
		return 0, err
	}
	defer r.Close()
	var all native.Joiner
	corrupt, err = eachBlock(r, all.Add)
	if err != nil {
		return 0, fmt.Errorf("segment %s: %w", g.Token(), err)
	}
	block, err := all.Block()
	switch {
	case errors.Is(err, native.ErrEmpty):
		return corrupt, nil
	case err != nil:
		return 0, fmt.Errorf("segment %s: %w", g.Token(), err)
	}
	err = s.onReplica(ctx, shard, func(n *node) error {
		return s.insertBlock(ctx, n, g.Token(), block)
	})
	if err != nil {
		return 0, err
	}
	return corrupt, nil
}

func (s *Store) insertBlock(ctx context.Context, n *node, token string, block *native.Block) error {
	ctx, cancel := context.WithTimeout(ctx, s.insertTimeout)
	defer cancel()
	if err := n.bulk.Insert(ctx, native.Insert{Table: s.layout.Table("flows"), Token: token}, native.One(block)); err != nil {
		return fmt.Errorf("insert %d flows: %w", block.Rows(), err)
	}
	return nil
}

// bulkOptions reach the endpoint for inserts. On loopback compressing costs more than
// it saves.
func (e Endpoint) bulkOptions() native.Options {
	o := native.Options{Addresses: e.Addresses, Database: e.Database, Username: e.Username, Password: e.Password, TLS: e.tls()}
	for _, address := range e.Addresses {
		host, _, err := net.SplitHostPort(address)
		if addr, parseErr := netip.ParseAddr(host); err != nil || parseErr != nil || !addr.IsLoopback() {
			o.Compression = native.LZ4
		}
	}
	return o
}
