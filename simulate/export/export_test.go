package export_test

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"flag"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"tapwatch/flow"
	"tapwatch/simulate/export"
	"tapwatch/simulate/export/exporttest"
)

var update = flag.Bool("update", false, "write the golden files anew")

const (
	boot = int64(1_790_000_000_000)
	now  = boot + 86_400_123
)

func options(protocol int8) export.Options {
	return export.Options{
		Protocol: protocol, Agent: netip.MustParseAddr("127.1.1.20"), Domain: 0x0114, AS: 64500, Sampling: 1000,
		Boot: boot, MaxDatagram: 1400, RefreshInterval: 20 * time.Second,
	}
}

var protocols = map[string]int8{
	"netflow5": flow.ExportNetFlow5, "netflow9": flow.ExportNetFlow9, "ipfix": flow.ExportIPFIX, "sflow5": flow.ExportSFlow5,
}

func addr(s string) netip.Addr { return netip.MustParseAddr(s) }

// records are one of each kind; those of sFlow are single packets.
func records(protocol int8) []export.Record {
	tcp := export.Record{
		ExportedAt: now, StartAt: now - 61_000, EndAt: now - 1_000,
		Src: addr("45.32.110.61"), Dst: addr("198.51.100.72"), NextHop: addr("10.30.1.66"),
		SrcPort: 51234, DstPort: 22, Protocol: 6, TCPFlags: 0x1b, TOS: 0xb8, Direction: 1, EndReason: 2,
		Bytes: 123_456, Packets: 321, InIf: 13, OutIf: 1, VLAN: 1013, SrcAS: 20473, DstAS: 64500, SrcMask: 19, DstMask: 28,
	}
	udp := tcp
	udp.Src, udp.Dst, udp.NextHop = addr("2001:db8:100::1"), addr("2a00:1450:4000::8"), addr("2001:db8:30::a1e:10a")
	udp.Protocol, udp.TCPFlags, udp.DstPort, udp.SrcMask, udp.DstMask, udp.VLAN = 17, 0, 443, 44, 37, 0
	icmp := tcp
	icmp.Protocol, icmp.TCPFlags, icmp.SrcPort, icmp.DstPort, icmp.ICMPType, icmp.ICMPCode = 1, 0, 0, 0, 8, 0
	sctp := tcp
	sctp.Protocol, sctp.TCPFlags, sctp.DstPort = 132, 0, 3868
	all := []export.Record{tcp, udp, icmp, sctp}
	switch protocol {
	case flow.ExportNetFlow5:
		return []export.Record{tcp, icmp, sctp}
	case flow.ExportSFlow5:
		for i := range all {
			all[i].Packets, all[i].Bytes = 1, uint64(64+400*i)
		}
	}
	return all
}

// carried is r without what the protocol cannot carry.
func carried(protocol int8, r export.Record) export.Record {
	r.ExportedAt = 0
	if protocol != flow.ExportSFlow5 && r.Protocol == 1 {
		r.DstPort = uint16(r.ICMPType)<<8 | uint16(r.ICMPCode)
	}
	switch protocol {
	case flow.ExportNetFlow5:
		r.ICMPType, r.ICMPCode, r.VLAN, r.Direction, r.EndReason = 0, 0, 0, 0, 0
	case flow.ExportNetFlow9:
		r.EndReason = 0
	case flow.ExportSFlow5:
		r.StartAt, r.EndAt, r.Direction, r.EndReason = 0, 0, 0, 0
	}
	return r
}

// encode encodes the records and flushes at the time of the last.
func encode(t *testing.T, o export.Options, rs []export.Record) [][]byte {
	t.Helper()
	e, err := export.New(o)
	if err != nil {
		t.Fatal(err)
	}
	var datagrams [][]byte
	emit := func(b []byte) error {
		datagrams = append(datagrams, bytes.Clone(b))
		return nil
	}
	for i := range rs {
		if err := e.Add(&rs[i], emit); err != nil {
			t.Fatal(err)
		}
	}
	if err := e.Flush(rs[len(rs)-1].ExportedAt, emit); err != nil {
		t.Fatal(err)
	}
	return datagrams
}

func decode(t *testing.T, datagrams [][]byte) []exporttest.Datagram {
	t.Helper()
	d := exporttest.Decoder{Boot: boot}
	all := make([]exporttest.Datagram, len(datagrams))
	for i, b := range datagrams {
		var err error
		if all[i], err = d.Decode(b); err != nil {
			t.Fatalf("datagram %d: %v\n%s", i, err, hex.Dump(b))
		}
	}
	return all
}

func TestEveryFieldSurvives(t *testing.T) {
	for name, protocol := range protocols {
		t.Run(name, func(t *testing.T) {
			rs := records(protocol)
			var want, got []export.Record
			for _, r := range rs {
				want = append(want, carried(protocol, r))
			}
			sampling := uint32(0)
			for _, d := range decode(t, encode(t, options(protocol), rs)) {
				got = append(got, d.Records...)
				sampling = max(sampling, d.Sampling)
				if d.Protocol != protocol || d.Domain != 0x0114 {
					t.Errorf("protocol %d, domain %#x", d.Protocol, d.Domain)
				}
			}
			less := func(a, b export.Record) bool {
				return a.Src.String()+a.Dst.String()+string(a.Protocol) < b.Src.String()+b.Dst.String()+string(b.Protocol)
			}
			if diff := cmp.Diff(want, got, cmpopts.SortSlices(less), cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
				t.Error(diff)
			}
			if sampling != 1000 {
				t.Errorf("sampling 1 in %d, want 1 in 1000", sampling)
			}
		})
	}
}

// TestGolden holds the bytes of one datagram per protocol, so that a change of the
// wire format is seen. They were read with tshark when they were made.
func TestGolden(t *testing.T) {
	for name, protocol := range protocols {
		t.Run(name, func(t *testing.T) {
			got := hex.Dump(encode(t, options(protocol), records(protocol))[0])
			file := filepath.Join("testdata", name+".hex")
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// many makes n records over a minute.
func many(protocol int8, n int) []export.Record {
	kinds := records(protocol)
	rs := make([]export.Record, n)
	for i := range rs {
		rs[i] = kinds[i%len(kinds)]
		rs[i].ExportedAt = now + int64(i)*60_000/int64(n)
	}
	return rs
}

func TestNumbersFollowTheirProtocol(t *testing.T) {
	for name, protocol := range protocols {
		t.Run(name, func(t *testing.T) {
			const n = 2000
			datagrams := encode(t, options(protocol), many(protocol, n))
			total, sources := 0, map[uint32]exporttest.SampleNumbers{}
			next := uint32(0)
			if protocol == flow.ExportSFlow5 {
				next = 1
			}
			for i, d := range decode(t, datagrams) {
				if len(datagrams[i]) > 1400 {
					t.Errorf("datagram %d has %d bytes", i, len(datagrams[i]))
				}
				if d.Sequence != next {
					t.Fatalf("datagram %d has sequence number %d, want %d", i, d.Sequence, next)
				}
				count := len(d.Records)
				total += count
				switch protocol {
				case flow.ExportNetFlow5:
					next += uint32(count)
				case flow.ExportIPFIX:
					next += uint32(count + d.OptionsRecords)
					count = 0
				case flow.ExportNetFlow9:
					next++
					count += d.OptionsRecords + d.Templates
				case flow.ExportSFlow5:
					next++
					count += d.Counters
				}
				if d.Count != count {
					t.Errorf("the header of datagram %d counts %d, want %d", i, d.Count, count)
				}
				for _, s := range d.Sources {
					last := sources[s.Source]
					if s.Sequence != last.Sequence+1 || s.Pool != last.Pool+1000 {
						t.Fatalf("sample %+v after %+v", s, last)
					}
					sources[s.Source] = s
				}
			}
			if total != n {
				t.Errorf("%d records decoded of %d", total, n)
			}
		})
	}
}

func TestTemplatesAreSentAgain(t *testing.T) {
	for _, protocol := range []int8{flow.ExportNetFlow9, flow.ExportIPFIX} {
		sent := 0
		all := decode(t, encode(t, options(protocol), many(protocol, 2000)))
		for _, d := range all {
			if d.Templates > 0 {
				sent++
				if d.Templates != 3 || d.OptionsRecords != 1 {
					t.Errorf("%d templates and %d options records", d.Templates, d.OptionsRecords)
				}
			}
		}
		if all[0].Templates == 0 || sent != 3 {
			t.Errorf("protocol %d: templates in %d datagrams of a minute, want 3 and in the first", protocol, sent)
		}
	}
}

// TestSetsTile walks the sets of a message by hand: they must fill it, padded to
// four bytes.
func TestSetsTile(t *testing.T) {
	for protocol, header := range map[int8]int{flow.ExportNetFlow9: 20, flow.ExportIPFIX: 16} {
		for _, b := range encode(t, options(protocol), many(protocol, 100)) {
			at := header
			for at < len(b) {
				length := int(binary.BigEndian.Uint16(b[at+2:]))
				if length%4 != 0 || length <= 4 {
					t.Fatalf("a set of %d bytes", length)
				}
				at += length
			}
			if at != len(b) {
				t.Fatalf("sets end at %d of %d bytes", at, len(b))
			}
			if protocol == flow.ExportIPFIX && int(binary.BigEndian.Uint16(b[2:])) != len(b) {
				t.Errorf("length field %d of %d bytes", binary.BigEndian.Uint16(b[2:]), len(b))
			}
		}
	}
}

func TestCountersAreSentAgain(t *testing.T) {
	e, err := export.New(options(flow.ExportSFlow5))
	if err != nil {
		t.Fatal(err)
	}
	d := exporttest.Decoder{}
	counters := 0
	emit := func(b []byte) error {
		got, err := d.Decode(b)
		counters += got.Counters
		return err
	}
	r := records(flow.ExportSFlow5)[0]
	for second := range int64(60) {
		r.ExportedAt = now + second*1000
		if err := e.Add(&r, emit); err != nil {
			t.Fatal(err)
		}
		if err := e.Flush(r.ExportedAt, emit); err != nil {
			t.Fatal(err)
		}
	}
	if counters != 3*2 { // at 0, 20 and 40 s, for two interfaces
		t.Errorf("%d counter samples, want 6", counters)
	}
}

func TestLargeASBecomesASTrans(t *testing.T) {
	r := records(flow.ExportNetFlow5)[0]
	r.SrcAS = 4_200_000_001
	got := decode(t, encode(t, options(flow.ExportNetFlow5), []export.Record{r}))[0].Records[0]
	if got.SrcAS != 23456 {
		t.Errorf("AS %d, want AS_TRANS", got.SrcAS)
	}
}

func TestRefusals(t *testing.T) {
	six := records(flow.ExportIPFIX)[1]
	two := records(flow.ExportIPFIX)[0]
	with := func(protocol int8, change func(*export.Options)) export.Options {
		o := options(protocol)
		change(&o)
		return o
	}
	for name, test := range map[string]struct {
		options export.Options
		record  *export.Record
		want    string
	}{
		"IPv6 in NetFlow v5":     {options(flow.ExportNetFlow5), &six, "IPv4 only"},
		"two packets in sFlow":   {options(flow.ExportSFlow5), &two, "one packet"},
		"unknown protocol":       {options(7), nil, "no encoder"},
		"no sampling":            {with(flow.ExportIPFIX, func(o *export.Options) { o.Sampling = 0 }), nil, "at least 1"},
		"sampling beyond v5":     {with(flow.ExportNetFlow5, func(o *export.Options) { o.Sampling = 1 << 14 }), nil, "the most is 16383"},
		"tiny datagrams":         {with(flow.ExportIPFIX, func(o *export.Options) { o.MaxDatagram = 100 }), nil, "512 to 65507"},
		"no refresh":             {with(flow.ExportIPFIX, func(o *export.Options) { o.RefreshInterval = 0 }), nil, "must be positive"},
		"sFlow without an agent": {with(flow.ExportSFlow5, func(o *export.Options) { o.Agent = netip.Addr{} }), nil, "address of its agent"},
	} {
		e, err := export.New(test.options)
		if err == nil && test.record != nil {
			err = e.Add(test.record, func([]byte) error { return nil })
		}
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want an error with %q", name, err, test.want)
		}
	}
}
