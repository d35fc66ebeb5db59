package native

import (
	"io"

	"github.com/ClickHouse/ch-go/compress"
)

// frameSize is how many bytes are compressed at a time: few enough to stay in the
// processor's cache.
const frameSize = 256 << 10

// frames writes compressed frames (ClickHouse: CompressedWriteBuffer.h). After an error
// it writes nothing more.
type frames struct {
	out     io.Writer
	lz4     *compress.Writer
	pending []byte // what does not fill a frame yet
	err     error
}

func newFrames(out io.Writer) *frames {
	return &frames{
		out: out, lz4: compress.NewWriter(compress.LevelZero, compress.LZ4),
		pending: make([]byte, 0, frameSize),
	}
}

// write compresses p, from where it is if it fills a frame.
func (f *frames) write(p []byte) {
	for len(p) > 0 {
		if len(f.pending) == 0 && len(p) >= frameSize {
			f.frame(p[:frameSize])
			p = p[frameSize:]
			continue
		}
		n := min(len(p), frameSize-len(f.pending))
		f.pending = append(f.pending, p[:n]...)
		p = p[n:]
		if len(f.pending) == frameSize {
			f.frame(f.pending)
			f.pending = f.pending[:0]
		}
	}
}

// flush writes what is pending, and gives the first error since the last.
func (f *frames) flush() error {
	if len(f.pending) > 0 {
		f.frame(f.pending)
		f.pending = f.pending[:0]
	}
	err := f.err
	f.err = nil
	return err
}

func (f *frames) frame(p []byte) {
	if f.err != nil {
		return
	}
	if f.err = f.lz4.Compress(p); f.err == nil {
		_, f.err = f.out.Write(f.lz4.Data)
	}
}
