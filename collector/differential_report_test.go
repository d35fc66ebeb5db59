package collector_test

import (
	dumper "encoding/hex"
	"fmt"
	"strings"

	"tapwatch/internal/goflowref"
)

// report says how a record differs.
func (c *comparison) report(w wanted, g obtained) {
	columns, _ := explain(w.Record, &g.Values, newScores())
	var s strings.Builder
	for _, column := range columns {
		fmt.Fprintf(&s, "\n  %s: got %s, goflow2 %s", column, g.Values[column], w.Values[column])
	}
	c.fail("datagram %d: differs:%s\n  of goflow2's %s (flags %b)\n%s", g.datagram, s.String(), describe(&w.Values), w.Flags, dump(g.payload))
}

// describe shows the values that are not zero.
func describe(v *goflowref.Values) string {
	var s strings.Builder
	for c := range goflowref.Columns {
		if v[c] != (goflowref.Value{}) {
			fmt.Fprintf(&s, "%s=%s ", c, v[c])
		}
	}
	return s.String()
}

// dump shows the beginning of a datagram.
func dump(payload []byte) string {
	const most = 256
	text := dumper.Dump(payload[:min(most, len(payload))])
	if len(payload) > most {
		text += fmt.Sprintf("… %d bytes\n", len(payload))
	}
	return text
}
