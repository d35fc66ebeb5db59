// Package collector receives exported flows over UDP and turns them into columns
// of a flow.Batch.
//
// A datagram comes from a socket to the worker its exporter belongs to. The
// worker's Decoder finds the exporter's entry in a bounded table, tells the
// protocol by the first bytes and hands the payload to that protocol's Session,
// which holds the exporter's templates and sampling information. Whatever is
// dropped on the way is counted by exporter and Reason.
//
// The protocols are packages below this one (netflow, sflow) that implement
// Protocol; who makes a Collector names those it should speak.
package collector
