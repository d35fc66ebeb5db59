package collector

// Reason says why something was dropped. The names (String) are stored in
// exporter_health and are labels of metrics: do not rename them.
type Reason uint8

// The reasons, each with what one count of it stands for.
const (
	// Truncated: a datagram, set or sample that ends before its header says.
	Truncated Reason = iota
	// UnknownVersion: a datagram of no protocol that the collector knows.
	UnknownVersion
	// MissingTemplate: a data set that waited for its template in vain.
	MissingTemplate
	// MalformedSet: a set whose header or content is impossible.
	MalformedSet
	// MalformedRecord: a record that contradicts its own lengths.
	MalformedRecord
	// WaitingLimit: a data set without its template, beyond what may wait.
	WaitingLimit
	// EmptyTemplate: a template without fields, or a withdrawal over UDP: RFC 7011
	// §8.1 allows none there, and obeying one would let anyone delete templates.
	EmptyTemplate
	// HostileTemplate: a template whose records would take no space, or with more
	// fields than the limit.
	HostileTemplate
	// TemplateLimit: a template beyond the exporter's limit of templates, or beyond
	// what the exporters that the inventory does not list may have together.
	TemplateLimit
	// SamplerLimit: sampling information beyond the exporter's limit of samplers.
	SamplerLimit
	// RecordLimit: a record beyond what a genuine datagram can hold.
	RecordLimit
	// DecoderError: a set or sample that the decoder refused.
	DecoderError
	// UnsupportedSample: an sFlow sample of a kind that holds no flow (discarded
	// packets, vendor formats).
	UnsupportedSample
	// TrailingBytes: a datagram with bytes after its last record.
	TrailingBytes
	// Refused: a datagram of an exporter that the inventory does not list.
	Refused
	// ExporterLimit: a datagram of an exporter for which the table has no room.
	ExporterLimit
	// QueueFull: a datagram that came while the queue to its worker was full.
	QueueFull
	// ConnectionLimit: a connection beyond the limit of connections.
	ConnectionLimit
	// ConnectionError: a connection that broke, was not let in, or sent what is no
	// message.
	ConnectionError
	// SocketBufferFull: a datagram that the kernel dropped before the collector
	// could read it.
	SocketBufferFull
	// SinkFailed: a record that the sink did not take.
	SinkFailed

	// Reasons is the number of reasons.
	Reasons
)

var names = [Reasons]string{
	Truncated:         "truncated",
	UnknownVersion:    "unknown_version",
	MissingTemplate:   "missing_template",
	MalformedSet:      "malformed_set",
	MalformedRecord:   "malformed_record",
	WaitingLimit:      "waiting_limit",
	EmptyTemplate:     "empty_template",
	HostileTemplate:   "hostile_template",
	TemplateLimit:     "template_limit",
	SamplerLimit:      "sampler_limit",
	RecordLimit:       "record_limit",
	DecoderError:      "decoder_error",
	UnsupportedSample: "unsupported_sample",
	TrailingBytes:     "trailing_bytes",
	Refused:           "refused",
	ExporterLimit:     "exporter_limit",
	QueueFull:         "queue_full",
	ConnectionLimit:   "connection_limit",
	ConnectionError:   "connection_error",
	SocketBufferFull:  "socket_buffer_full",
	SinkFailed:        "sink_failed",
}

// String gives the reason's stable name.
func (r Reason) String() string { return names[r] }

// Tally is a set of counters. The zero Tally is ready for use; it is not safe for
// concurrent use.
type Tally struct {
	Datagrams uint64
	// Bytes counts UDP payload.
	Bytes   uint64
	Records uint64
	// OptionsRecords counts NetFlow v9 and IPFIX options data records and sFlow
	// counter samples: what exporters say about themselves.
	OptionsRecords uint64
	// Unsampled counts records stored without a known sampling interval.
	Unsampled uint64
	// LostRecords, LostDatagrams, LateDatagrams and Restarts: see flow.Health.
	LostRecords, LostDatagrams, LateDatagrams, Restarts uint64
	Dropped                                             [Reasons]uint64
}

// Drop counts n things dropped for one reason.
func (t *Tally) Drop(r Reason, n int) { t.Dropped[r] += uint64(n) }

// Add adds the counts of o.
func (t *Tally) Add(o *Tally) {
	t.Datagrams += o.Datagrams
	t.Bytes += o.Bytes
	t.Records += o.Records
	t.OptionsRecords += o.OptionsRecords
	t.Unsampled += o.Unsampled
	t.LostRecords += o.LostRecords
	t.LostDatagrams += o.LostDatagrams
	t.LateDatagrams += o.LateDatagrams
	t.Restarts += o.Restarts
	for i, n := range o.Dropped {
		t.Dropped[i] += n
	}
}

// ByReason gives the drops that happened by name; nil when there were none.
func (t *Tally) ByReason() map[string]uint64 {
	var m map[string]uint64
	for i, n := range t.Dropped {
		if n == 0 {
			continue
		}
		if m == nil {
			m = make(map[string]uint64)
		}
		m[Reason(i).String()] = n
	}
	return m
}
