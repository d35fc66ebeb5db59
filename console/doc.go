// Package console is what a NOC sees of tapwatch: the HTTP API over the alerts and
// the exporters, the live stream of alerts, and the page that shows them.
//
// It only reads. It has no login of its own, so it listens on the loopback address
// unless it is told otherwise, and then answers only to names of that machine.
package console
