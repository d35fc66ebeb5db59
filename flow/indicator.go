package flow

import (
	"net/netip"
	"time"
)

// Indicator is an address or prefix of an intelligence list.
type Indicator struct {
	List   string
	Prefix netip.Prefix
	// Description says what was seen there, Actor who is said to be behind it, be it a
	// group or a family of malware; empty where the list does not say.
	Description, Actor string
	// Confidence is how sure its author is, from 1 to 100; 0 not said.
	Confidence uint8
	// ValidFrom is in the time for which it holds, ValidUntil is not; zero: without end.
	ValidFrom, ValidUntil time.Time
}

// Text is the indicator as the columns src_intel and dst_intel have it: "list:prefix".
func (i *Indicator) Text() string { return i.List + ":" + i.Prefix.String() }
