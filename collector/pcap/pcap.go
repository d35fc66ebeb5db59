// Package pcap reads captures of exported flows: pcap and pcapng files, plain or
// gzipped, of UDP datagrams.
package pcap

import (
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"sync/atomic"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/ip4defrag"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"
)

// Datagram is one UDP datagram of a capture.
type Datagram struct {
	Time     time.Time
	From, To netip.AddrPort
	// Payload is the caller's to keep.
	Payload []byte
}

// Skipped counts what a capture holds beside whole UDP datagrams.
type Skipped struct {
	// NotUDP packets are of other protocols.
	NotUDP int
	// Fragments are IPv6 fragments, and IPv4 fragments that do not fit together.
	Fragments int
	// Cut datagrams are shorter than sent, because the capture kept only the first
	// bytes of each packet. Next returns what there is of them.
	Cut int
}

// File is an open capture. It is not safe for concurrent use, but for Read.
type File struct {
	path    string
	file    *os.File
	size    int64
	read    atomic.Int64
	packets int
	next    func() ([]byte, gopacket.CaptureInfo, error)
	link    gopacket.Decoder
	defrag  *ip4defrag.IPv4Defragmenter
	skipped Skipped
}

// Open opens a capture. An error names the file and says what is wrong with it.
func Open(path string) (*File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	c := &File{path: path, file: f, defrag: ip4defrag.NewIPv4Defragmenter()}
	if err := c.open(); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), f.Close())
	}
	return c, nil
}

// Magic numbers, as the first four bytes of a file.
const (
	magicPcapng = "\x0a\x0d\x0d\x0a"
	magicGzip   = "\x1f\x8b"
)

var errNotCapture = errors.New("is not a capture: neither pcap nor pcapng")

func (c *File) open() error {
	info, err := c.file.Stat()
	if err != nil {
		return err
	}
	c.size = info.Size()
	if c.size == 0 {
		return errors.New("is empty, not a capture")
	}
	plain, err := unzipped(&counter{c.file, &c.read})
	if err != nil {
		return err
	}
	magic, err := plain.Peek(4)
	if err != nil {
		return errNotCapture
	}
	if string(magic) == magicPcapng {
		return c.openPcapng(plain)
	}
	r, err := pcapgo.NewReader(plain)
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return errors.New("is truncated: its header is cut off")
	}
	if err != nil {
		return errNotCapture
	}
	r.SetSnaplen(maxPacket)
	c.next = r.ReadPacketData
	c.link, err = linkDecoder(r.LinkType())
	return err
}

// maxPacket is more than any packet in a capture; beyond it a length is broken.
const maxPacket = 1 << 20

func (c *File) openPcapng(r io.Reader) error {
	blocks := &blocks{r: r}
	ng, err := pcapgo.NewNgReader(blocks, pcapgo.DefaultNgReaderOptions)
	if err != nil {
		return fmt.Errorf("is a broken pcapng file: %w", err)
	}
	c.next = func() ([]byte, gopacket.CaptureInfo, error) {
		data, info, err := ng.ReadPacketData()
		if errors.Is(err, io.EOF) && blocks.within() {
			err = io.ErrUnexpectedEOF
		}
		return data, info, err
	}
	c.link, err = linkDecoder(ng.LinkType())
	return err
}

func unzipped(r io.Reader) (*bufio.Reader, error) {
	b := bufio.NewReaderSize(r, 1<<16)
	magic, err := b.Peek(2)
	if err != nil || string(magic) != magicGzip {
		return b, nil
	}
	z, err := gzip.NewReader(b)
	if err != nil {
		return nil, fmt.Errorf("is a broken gzip file: %w", err)
	}
	return bufio.NewReaderSize(z, 1<<16), nil
}

// counter counts the bytes read from the file itself.
type counter struct {
	r io.Reader
	n *atomic.Int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n.Add(int64(n))
	return n, err
}

// linkTypeSLL2 is LINKTYPE_LINUX_SLL2 (276), of which gopacket keeps eight bits.
const linkTypeSLL2 = 276 & 0xff

func linkDecoder(t layers.LinkType) (gopacket.Decoder, error) {
	switch t {
	case layers.LinkTypeEthernet, layers.LinkTypeLinuxSLL, layers.LinkTypeRaw, layers.LinkTypeNull, layers.LinkTypeLoop:
		return t, nil
	case layers.LinkTypeIPv4:
		return layers.LayerTypeIPv4, nil
	case layers.LinkTypeIPv6:
		return layers.LayerTypeIPv6, nil
	case 12, 14: // raw IP, by other names
		return layers.LinkTypeRaw, nil
	case linkTypeSLL2:
		return gopacket.DecodeFunc(decodeSLL2), nil
	}
	return nil, fmt.Errorf("has link type %s (%d), which is not supported: capture on an Ethernet or IP interface", t, t)
}

// decodeSLL2 skips the header that Linux writes for the interface "any".
func decodeSLL2(data []byte, p gopacket.PacketBuilder) error {
	const header = 20
	if len(data) < header {
		return errors.New("SLL2 header cut off")
	}
	return layers.EthernetType(uint16(data[0])<<8|uint16(data[1])).Decode(data[header:], p)
}

// Close closes the file.
func (c *File) Close() error { return c.file.Close() }

// Size is the file's length in bytes.
func (c *File) Size() int64 { return c.size }

// Read is how many bytes of the file have been read, for progress. It is safe for
// concurrent use.
func (c *File) Read() int64 { return c.read.Load() }

// Skipped counts what Next passed over so far.
func (c *File) Skipped() Skipped { return c.skipped }
