package export

import (
	"encoding/binary"
	"fmt"
)

const (
	v5HeaderBytes = 24
	v5RecordBytes = 48
	v5MaxRecords  = 30
	v5MaxSampling = 1<<14 - 1
	// v5RandomSampling is the mode in the upper two bits of the sampling field.
	v5RandomSampling = 2 << 14
	// asTrans stands for an AS number that does not fit 16 bits (RFC 6793 §9).
	asTrans = 23456
)

// netflow5 encodes NetFlow v5: fixed records of IPv4 flows. Its sequence number
// counts flows.
type netflow5 struct {
	Options
	buf     []byte
	records int
	flows   uint32
}

func newNetFlow5(o Options) (*netflow5, error) {
	if o.Sampling > v5MaxSampling {
		return nil, fmt.Errorf("export: NetFlow v5 cannot tell a sampling of 1 in %d: the most is %d", o.Sampling, v5MaxSampling)
	}
	return &netflow5{Options: o, buf: make([]byte, v5HeaderBytes, o.MaxDatagram)}, nil
}

// Add refuses a flow that is not IPv4.
func (e *netflow5) Add(r *Record, emit Emit) error {
	if !r.Src.Is4() || !r.Dst.Is4() {
		return fmt.Errorf("export: NetFlow v5 carries IPv4 only, not %s to %s", r.Src, r.Dst)
	}
	e.buf = e.appendRecord(e.buf, r)
	e.records++
	if e.records == v5MaxRecords || len(e.buf)+v5RecordBytes > e.MaxDatagram {
		return e.Flush(r.ExportedAt, emit)
	}
	return nil
}

func (e *netflow5) Flush(now int64, emit Emit) error {
	if e.records == 0 {
		return nil
	}
	h := e.buf[:0]
	h = binary.BigEndian.AppendUint16(h, 5)
	h = binary.BigEndian.AppendUint16(h, uint16(e.records))
	h = binary.BigEndian.AppendUint32(h, e.uptime(now))
	h = binary.BigEndian.AppendUint32(h, uint32(now/1000))
	h = binary.BigEndian.AppendUint32(h, uint32(now%1000*1_000_000))
	h = binary.BigEndian.AppendUint32(h, e.flows)
	h = binary.BigEndian.AppendUint16(h, uint16(e.Domain))
	binary.BigEndian.AppendUint16(h, v5RandomSampling|uint16(e.Sampling))
	err := emit(e.buf)
	e.flows += uint32(e.records)
	e.records = 0
	e.buf = e.buf[:v5HeaderBytes]
	return err
}

func (e *netflow5) Resample(interval uint32) error {
	if interval > v5MaxSampling {
		return fmt.Errorf("export: NetFlow v5 cannot tell a sampling of 1 in %d: the most is %d", interval, v5MaxSampling)
	}
	return e.resample(interval)
}

func (e *netflow5) appendRecord(b []byte, r *Record) []byte {
	b = appendAddr4(b, r.Src)
	b = appendAddr4(b, r.Dst)
	b = appendAddr4(b, r.NextHop)
	b = binary.BigEndian.AppendUint16(b, uint16(r.InIf))
	b = binary.BigEndian.AppendUint16(b, uint16(r.OutIf))
	b = binary.BigEndian.AppendUint32(b, uint32(r.Packets))
	b = binary.BigEndian.AppendUint32(b, uint32(r.Bytes))
	b = binary.BigEndian.AppendUint32(b, e.uptime(r.StartAt))
	b = binary.BigEndian.AppendUint32(b, e.uptime(r.EndAt))
	b = binary.BigEndian.AppendUint16(b, r.SrcPort)
	b = binary.BigEndian.AppendUint16(b, dstPortOrICMP(r))
	b = append(b, 0, r.TCPFlags, r.Protocol, r.TOS)
	b = binary.BigEndian.AppendUint16(b, as16(r.SrcAS))
	b = binary.BigEndian.AppendUint16(b, as16(r.DstAS))
	return append(b, r.SrcMask, r.DstMask, 0, 0)
}

func as16(as uint32) uint16 {
	if as > 0xffff {
		return asTrans
	}
	return uint16(as)
}
