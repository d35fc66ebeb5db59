package flow

// Batch is a table of flow records: one slice a column, all of the same length.
// The zero Batch is empty and ready for use. It is not safe for concurrent use;
// whoever holds a Batch owns it.
//
// Times are Unix milliseconds, 0 where unknown. Addresses are 16 bytes, IPv4
// mapped into IPv6 (RFC 4291 §2.5.5.2), all zero where unknown. Bytes and Packets
// are as the router exported them, before multiplication by SamplingInterval.
//
// To add a column: its member here, its row in Fields, and a migration in
// storage/migrations.
type Batch struct {
	n int
	// clean is up to where the memory of the columns is zero from n on.
	clean int

	// Where and when the record was exported.
	ReceivedAt        []int64
	StartAt           []int64
	EndAt             []int64
	Exporter          [][16]byte
	ObservationDomain []uint32
	ExportProtocol    []int8
	SamplingInterval  []uint32

	// The flow key and what was counted.
	SrcAddr    [][16]byte
	DstAddr    [][16]byte
	SrcPort    []uint16
	DstPort    []uint16
	Protocol   []uint8
	IPVersion  []uint8
	TCPFlags   []uint16
	TOS        []uint8
	ICMPType   []uint8
	ICMPCode   []uint8
	Bytes      []uint64
	Packets    []uint64
	Direction  []int8
	EndReason  []uint8
	Forwarding []uint8

	// The way through the router.
	InIf    []uint32
	OutIf   []uint32
	SrcVLAN []uint16
	DstVLAN []uint16
	SrcMAC  []uint64
	DstMAC  []uint64
	NextHop [][16]byte
	SrcAS   []uint32
	DstAS   []uint32
	SrcMask []uint8
	DstMask []uint8
	InVRF   []uint32
	OutVRF  []uint32
	// The label stack from the top, 20 bits each.
	MPLSLabel1 []uint32
	MPLSLabel2 []uint32
	MPLSLabel3 []uint32

	// What the IP header says besides.
	IPTTL          []uint8
	FragmentID     []uint32
	FragmentOffset []uint16

	// What a translator made of the ends.
	SrcAddrNAT [][16]byte
	DstAddrNAT [][16]byte
	SrcPortNAT []uint16
	DstPortNAT []uint16
	NATEvent   []uint8

	// What a firewall did.
	FirewallEvent []uint8

	// What a tunnel packet carries, where the exporter shows its header.
	Tunnel        []int8
	TunnelID      []uint32
	InnerSrcAddr  [][16]byte
	InnerDstAddr  [][16]byte
	InnerSrcPort  []uint16
	InnerDstPort  []uint16
	InnerProtocol []uint8

	// What the enrichments add.
	SrcCountry  []string
	DstCountry  []string
	SrcASN      []uint32
	DstASN      []uint32
	SrcASOrg    []string
	DstASOrg    []string
	SrcZone     []string
	DstZone     []string
	SrcZoneKind []string
	DstZoneKind []string
	SrcAsset    []string
	DstAsset    []string
	SrcRole     []string
	DstRole     []string
	SrcIntel    []string
	DstIntel    []string
	Initiator   []int8
	AssetEnd    []int8
	Watched     []bool
}

// Export protocols, the values of Batch.ExportProtocol.
const (
	ExportUnknown  int8 = 0
	ExportNetFlow1 int8 = 1
	ExportNetFlow5 int8 = 5
	ExportNetFlow7 int8 = 7
	ExportNetFlow9 int8 = 9
	ExportIPFIX    int8 = 10
	ExportSFlow5   int8 = 105
)

// Directions of observation (IPFIX element 61, flowDirection), the values of
// Batch.Direction.
const (
	DirectionUnknown int8 = 0
	DirectionIngress int8 = 1
	DirectionEgress  int8 = 2
)

// Tunnels, the values of Batch.Tunnel: what the sampled header of a packet shows to
// be carried in what. ERSPAN has three types (draft-foschiano-erspan-03 §4): type I
// has no header of its own.
const (
	TunnelNone    int8 = 0
	TunnelGRE     int8 = 1
	TunnelERSPAN1 int8 = 2
	TunnelERSPAN2 int8 = 3
	TunnelERSPAN3 int8 = 4
	TunnelVXLAN   int8 = 5
	TunnelIPIP    int8 = 6
	TunnelGENEVE  int8 = 7
	TunnelGTPU    int8 = 8
)

// Initiators, the values of Batch.Initiator: which end opened the conversation.
const (
	InitiatorUnknown int8 = 0
	InitiatorSrc     int8 = 1
	InitiatorDst     int8 = 2
)

// Asset ends, the values of Batch.AssetEnd: which end of a watched record is the
// protected one; of two the better protected.
const (
	AssetNone int8 = 0
	AssetSrc  int8 = 1
	AssetDst  int8 = 2
)

// Zone kinds with a meaning of their own; others are free text.
const (
	ZoneLawfulIntercept = "lawful-intercept"
	ZoneCore            = "core"
	ZoneManagement      = "management"
	ZoneInfrastructure  = "infrastructure"
)

// Len returns the number of records.
func (b *Batch) Len() int { return b.n }
