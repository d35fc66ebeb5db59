// Package storage keeps everything tapwatch knows in ClickHouse: it creates and
// migrates the tables, writes flow records in big batches, and reads and writes
// alerts, exporter health and the progress of the detectors.
//
// The tables are in migrations/, one statement a file. There is no other dialect:
// the embedded engine, one server and a cluster get the same SQL.
package storage
