// Package embedded runs a real ClickHouse as a supervised child process of
// tapwatch, on a data directory of its own.
//
// The engine comes as a shared library (libchdb.so of the npm package chdb). The
// same binary starts itself again, loads the library in that child and hands it
// the process. The engine serves the native protocol and HTTP on sockets of its own
// until its standard input ends; clients reach it through the gateway, on the ports
// of engine.json. Whatever happens to the engine, the parent lives on and starts it
// again, and clients find it on the same ports.
//
// A data directory holds:
//
//	lock         held by the process that runs the engine, and by the engine
//	engine.json  ports and passwords, mode 0600; how other commands find the engine
//	config.xml, users.xml, start.sql   written at every start
//	log/         the engine's log, rotated
//	clickhouse/  the data
package embedded
