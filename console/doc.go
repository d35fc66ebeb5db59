// Package console is what a NOC sees of tapwatch: the HTTP API over the alerts and
// the exporters, the live stream of alerts, and the page that shows them.
//
// It reads, but for silences and approvals, which people enter: these requests must come
// from the page itself or from no browser (guardwrite.go). It has no login of its own, so
// it listens on the loopback address unless it is told otherwise, and then answers only
// to names of that machine.
package console
