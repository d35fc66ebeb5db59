package spool

import (
	"sync"

	"github.com/ClickHouse/ch-go/compress"
)

// encoder makes frames. It keeps its memory for the next one.
type encoder struct {
	compressor *compress.Writer
	frame      []byte
}

// encode compresses the payload behind room for a frame header, which is filled in
// when its place is known. The frame is valid until the next call.
func (e *encoder) encode(payload []byte, records int, oldest int64) (frameHeader, []byte, error) {
	if err := e.compressor.Compress(payload); err != nil {
		return frameHeader{}, nil, err
	}
	block := e.compressor.Data
	e.frame = append(e.frame[:0], make([]byte, frameHeaderSize)...)
	e.frame = append(e.frame, block...)
	return frameHeader{records, oldest, len(payload), len(block)}, e.frame, nil
}

// encoders hands out as many encoders as there are appends at a time.
func encoders(c Compression) *sync.Pool {
	method := map[Compression]compress.Method{LZ4: compress.LZ4, ZSTD: compress.ZSTD, None: compress.None}[c]
	return &sync.Pool{New: func() any {
		return &encoder{compressor: compress.NewWriter(compress.LevelZero, method)}
	}}
}
