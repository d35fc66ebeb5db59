// Package flow holds the domain type of tapwatch: the Batch, a table of flow
// records in columns. A Batch is filled by the collector, completed in place by
// the enrichments and written to ClickHouse column by column; no per-record
// struct, map or interface exists on that way.
//
// The package imports the standard library alone.
package flow
