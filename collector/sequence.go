package collector

// Sequence follows the sequence numbers of one exporter and observation domain. The
// zero Sequence is ready for use.
type Sequence struct {
	next    uint32
	started bool
}

// Numbering is what one message says of its place in the sequence.
type Numbering struct {
	// Number is the header's sequence number.
	Number uint32
	// Records is how many records the message holds; RecordsKnown is false where some
	// of it could not be decoded.
	Records      int
	RecordsKnown bool
	// CountsRecords says what the protocol numbers: records (NetFlow v5 and v7, IPFIX),
	// where Number is that of the first of the message, or datagrams (NetFlow v9,
	// sFlow).
	CountsRecords bool
	// Uptime is the exporter's in milliseconds, where HasUptime.
	Uptime    uint32
	HasUptime bool
}

// Observe takes a message and counts in t what is missing before it.
func (s *Sequence) Observe(t *Tally, n Numbering) {}
