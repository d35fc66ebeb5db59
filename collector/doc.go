// Package collector receives exported flows over UDP, and IPFIX over TCP, TLS and
// DTLS, and turns them into columns of a flow.Batch.
//
// A datagram comes from a socket to the worker its exporter belongs to, a message of
// a connection likewise. The worker's Decoder finds the exporter's entry in a bounded table, tells the
// protocol by the first bytes and hands the payload to that protocol's Session,
// which holds what the exporter, or the connection, has said: templates, sampling,
// where its sequence numbers are. Whatever is dropped on the way, or lost before, is
// counted by exporter and Reason.
//
// The protocols are packages below this one (netflow, sflow) that implement
// Protocol; who makes a Collector names those it should speak.
package collector
