package campaign

import (
	"net/netip"
	"time"
)

// Label is the ground truth about one planted intrusion or trap.
type Label struct {
	// ID is the technique and the number of its instance.
	ID string
	// Technique is a key of Techniques or of Traps.
	Technique string
	// Trap says that it is benign: no detector should take it for more than a
	// curiosity.
	Trap bool
	// Tradecraft are rows of the threat catalogue, as in "T4".
	Tradecraft []string
	// Detectors are those that ought to find it; any of them counts. Of a trap: those
	// that might be fooled.
	Detectors []string
	// Assets are names of assets, or addresses where there is no asset, of which an
	// alert may speak. Exporters go by the name of their asset.
	Assets []string
	// Peers are the other ends.
	Peers []netip.Addr
	// Ports are the servers' ports.
	Ports []uint16
	// First and Last are the stream time (received_at) of the first and the last
	// datagram that carries a record of it. Of a silence and of a changed setting:
	// when it began and when it ended. Campaign.New sets them to what is planned;
	// they are exact once Datagrams has been read to its end.
	First, Last time.Time
	// Records counts the records of it that were exported; 0 before Datagrams ran.
	Records uint64
	// Strength says how strong this instance is, for people: "48 events, 50 % jitter".
	Strength string
	// Params are the numbers of Strength. "sampled": 1 where what gives it away is
	// seen by sampling routers only; "known_asn": 1 where an outer end is in a network that the background
	// talks with too.
	Params map[string]float64
}

// Stats counts what Datagrams yielded.
type Stats struct {
	// Records is the flow records (of sFlow: samples), Planted those of labels.
	Records, Planted uint64
	// Datagrams and Bytes are those of the exports.
	Datagrams, Bytes uint64
	// Pairs is how many pairs of a protected asset and a peer, by service, the
	// background has.
	Pairs int
	// Exporters, Assets: how large the carrier is.
	Exporters, Assets int
}
