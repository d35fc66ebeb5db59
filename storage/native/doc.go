// Package native writes flow records in ClickHouse's Native format and inserts them
// over its native protocol, for as little work per record as it can be done.
//
// An Encoder makes a Block of a flow.Batch. A Block is a table in wire form: its
// columns alias the memory of the batch wherever that already is what ClickHouse
// reads, and LowCardinality columns are dictionaries built once. A Client sends
// Blocks. Block.Append puts one on disk as FORMAT Native, and Block.Read takes such
// bytes back without decoding a value, so that they too can be sent.
//
// Columns that are zero in every record are left out of a Block: ClickHouse fills
// them in. That is what most columns of most batches are.
//
// It speaks the protocol itself, with the packets and the compression of ch-go: the
// insert of several blocks that it needs is small, it can end a connection in order,
// and ch-go's client brings logging and tracing libraries that nothing else uses.
package native
