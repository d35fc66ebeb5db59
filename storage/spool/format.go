package spool

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"time"
)

// See doc.go for the layout.
const (
	fileMagic     = "TAPSPOOL"
	fileVersion   = 1
	headerSize    = 288
	headerSum     = headerSize - 4 // where the checksum is
	maxTokenBytes = 255

	frameMagic      = "FRAM"
	frameHeaderSize = 28
	frameSum        = frameHeaderSize - 4

	// blockHeaderSize is what ClickHouse's compression puts before the data: checksum,
	// method, and both lengths.
	blockHeaderSize = 16 + 1 + 4 + 4
	blockLength     = 17 // where the length of the block is, less its checksum
	blockPayload    = 21 // where the length of the payload is

	// MaxPayloadBytes bounds the payload of one frame. ch-go refuses to read blocks of
	// more than 128 MiB.
	MaxPayloadBytes = 64 << 20
	// maxBlockBytes is more than any method makes of that.
	maxBlockBytes = 128 << 20
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// errDamaged says that a header is not as it was written.
var errDamaged = errors.New("damaged header")

// header is the beginning of a segment's file.
type header struct {
	token   string
	created int64  // Unix ms
	sum     uint32 // tells the frames of this file from others
}

func newHeader(token string, now time.Time) (h header, encoded []byte) {
	b := make([]byte, headerSize)
	copy(b, fileMagic)
	binary.LittleEndian.PutUint16(b[8:], fileVersion)
	binary.LittleEndian.PutUint16(b[10:], uint16(len(token)))
	binary.LittleEndian.PutUint64(b[16:], uint64(now.UnixMilli()))
	copy(b[24:], token)
	sum := crc32.Checksum(b[:headerSum], castagnoli)
	binary.LittleEndian.PutUint32(b[headerSum:], sum)
	return header{token, now.UnixMilli(), sum}, b
}

// parseHeader reads headerSize bytes. It fails with errDamaged, or because the
// format is not known.
func parseHeader(b []byte) (header, error) {
	sum := crc32.Checksum(b[:headerSum], castagnoli)
	if string(b[:8]) != fileMagic || sum != binary.LittleEndian.Uint32(b[headerSum:]) {
		return header{}, errDamaged
	}
	if version := binary.LittleEndian.Uint16(b[8:]); version != fileVersion {
		return header{}, fmt.Errorf("format version %d, where this program knows %d: another version of it wrote the spool", version, fileVersion)
	}
	length := int(binary.LittleEndian.Uint16(b[10:]))
	if length == 0 || length > maxTokenBytes {
		return header{}, errDamaged
	}
	return header{
		token:   string(b[24 : 24+length]),
		created: int64(binary.LittleEndian.Uint64(b[16:])),
		sum:     sum,
	}, nil
}

// frameHeader is what stands before a compressed block.
type frameHeader struct {
	records int
	oldest  int64
	payload int // bytes
	block   int // bytes
}

// size is how many bytes the frame takes in the file.
func (h frameHeader) size() int64 { return frameHeaderSize + int64(h.block) }

// put writes the header of a frame at the offset in the file with the checksum.
func (h frameHeader) put(b []byte, file uint32, offset int64) {
	copy(b, frameMagic)
	binary.LittleEndian.PutUint32(b[4:], uint32(h.records))
	binary.LittleEndian.PutUint64(b[8:], uint64(h.oldest))
	binary.LittleEndian.PutUint32(b[16:], uint32(h.payload))
	binary.LittleEndian.PutUint32(b[20:], uint32(h.block))
	binary.LittleEndian.PutUint32(b[frameSum:], frameChecksum(b, file, offset))
}

// parseFrameHeader is the reverse of put. It fails with errDamaged.
func parseFrameHeader(b []byte, file uint32, offset int64) (frameHeader, error) {
	h := frameHeader{
		records: int(binary.LittleEndian.Uint32(b[4:])),
		oldest:  int64(binary.LittleEndian.Uint64(b[8:])),
		payload: int(binary.LittleEndian.Uint32(b[16:])),
		block:   int(binary.LittleEndian.Uint32(b[20:])),
	}
	if string(b[:4]) != frameMagic || binary.LittleEndian.Uint32(b[frameSum:]) != frameChecksum(b, file, offset) ||
		h.records == 0 || h.payload == 0 || h.payload > MaxPayloadBytes ||
		h.block < blockHeaderSize || h.block > maxBlockBytes {
		return frameHeader{}, errDamaged
	}
	return h, nil
}

func frameChecksum(b []byte, file uint32, offset int64) uint32 {
	var place [12]byte
	binary.LittleEndian.PutUint32(place[:], file)
	binary.LittleEndian.PutUint64(place[4:], uint64(offset))
	return crc32.Update(crc32.Checksum(place[:], castagnoli), castagnoli, b[:frameSum])
}

// fits tells whether the block has the lengths that the header tells, so that it can
// be read without believing anything else.
func (h frameHeader) fits(block []byte) bool {
	return int64(binary.LittleEndian.Uint32(block[blockLength:])) == int64(h.block)-16 &&
		int64(binary.LittleEndian.Uint32(block[blockPayload:])) == int64(h.payload)
}

// checkFrame tells why a frame cannot be made.
func checkFrame(payload []byte, records int) error {
	switch {
	case len(payload) == 0 || len(payload) > MaxPayloadBytes:
		return fmt.Errorf("a payload of %d bytes: it must have 1 to %d", len(payload), MaxPayloadBytes)
	case records < 1 || int64(records) > math.MaxUint32:
		return fmt.Errorf("a frame of %d records: it must have 1 to %d", records, int64(math.MaxUint32))
	}
	return nil
}
