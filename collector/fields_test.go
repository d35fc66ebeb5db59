package collector_test

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"tapwatch/flow"
	"tapwatch/internal/captures"
)

// comparableCaptures is how many captures tshark reads as a whole.
const comparableCaptures = 95

// TestFields compares the records of every NetFlow and IPFIX capture field by
// field with tshark's.
func TestFields(t *testing.T) {
	index := captures.Index(t)
	compared := 0
	for _, c := range index {
		if _, listed := captures.Disagreements[c.Name]; listed || c.Fields == "" || strings.Contains(c.Protocol, "sFlow") {
			continue
		}
		records := tsharkRecords(t, c.Fields)
		b, _ := decodeFile(t, c.Path)
		if len(records) != b.Len() {
			t.Logf("not compared: %s: tshark shows %d records of %d", c.Name, len(records), b.Len())
			continue
		}
		for i, r := range records {
			if diff := r.compare(b, i); diff != "" {
				t.Errorf("%s: record %d: %s", c.Name, i, diff)
				break
			}
		}
		compared++
	}
	if len(index) > 0 && compared < comparableCaptures {
		t.Errorf("%d captures compared field by field, of at least %d", compared, comparableCaptures)
	}
}

// tsharkRecord is a record as tshark prints it: a string or a list of them by
// field.
type tsharkRecord map[string]any

func tsharkRecords(t *testing.T, path string) []tsharkRecord {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var all []tsharkRecord
	lines := bufio.NewScanner(z)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var line struct {
			Kind string       `json:"kind"`
			F    tsharkRecord `json:"f"`
		}
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		if line.Kind == "flow" {
			all = append(all, line.F)
		}
	}
	return all
}

// first gives a field, the first of several.
func (r tsharkRecord) first(name string) (string, bool) {
	switch v := r[name].(type) {
	case string:
		return v, true
	case []any:
		if s, ok := v[0].(string); ok {
			return s, true
		}
	}
	return "", false
}

// any says whether one of the values of a field is good; true without the field.
func (r tsharkRecord) any(name string, good func(string) bool) bool {
	switch v := r[name].(type) {
	case string:
		return good(v)
	case []any:
		return slices.ContainsFunc(v, func(e any) bool { s, ok := e.(string); return ok && good(s) })
	}
	return true
}

// compare says how the record at index i differs.
func (r tsharkRecord) compare(b *flow.Batch, i int) string {
	icmp := b.Protocol[i] == 1 || b.Protocol[i] == 58
	var diffs []string
	check := func(name string, got any) {
		want, ok := r.first(name)
		g := fmt.Sprint(got)
		if got == (netip.Addr{}) {
			g = "::" // unknown and unspecified are one
		}
		if ok && !strings.EqualFold(want, g) {
			diffs = append(diffs, fmt.Sprintf("%s: got %s, tshark %s", name, g, want))
		}
	}
	check("protocol", b.Protocol[i])
	check("octets", b.Bytes[i])
	check("packets", b.Packets[i])
	check("inputint", b.InIf[i])
	check("outputint", b.OutIf[i])
	check("srcas", b.SrcAS[i])
	check("dstas", b.DstAS[i])
	check("tos", fmt.Sprintf("0x%02x", b.TOS[i]))
	check("flow_end_reason", b.EndReason[i])
	check("vlanid", b.SrcVLAN[i])
	if b.IPVersion[i] == 4 {
		check("srcaddr", flow.Addr(b.SrcAddr[i]))
		check("dstaddr", flow.Addr(b.DstAddr[i]))
		check("nexthop", flow.Addr(b.NextHop[i]))
		check("srcmask", b.SrcMask[i])
		check("dstmask", b.DstMask[i])
	} else if b.IPVersion[i] == 6 {
		check("srcaddrv6", flow.Addr(b.SrcAddr[i]))
		check("dstaddrv6", flow.Addr(b.DstAddr[i]))
	}
	if !icmp {
		check("srcport", b.SrcPort[i])
		check("dstport", b.DstPort[i])
	}
	diffs = append(diffs, r.compareTimes(b, i)...)
	return strings.Join(slices.Compact(diffs), "; ")
}

// compareTimes compares start and end where the record has them as absolute times,
// and the duration where it has them as uptimes.
func (r tsharkRecord) compareTimes(b *flow.Batch, i int) (diffs []string) {
	const layout = "Jan _2, 2006 15:04:05.000000000 MST"
	for name, got := range map[string]int64{"abstimestart": b.StartAt[i], "abstimeend": b.EndAt[i]} {
		// A record may have a time more than once, as seconds and as milliseconds; 0
		// stands for none.
		good := func(text string) bool {
			want, err := time.Parse(layout, text)
			return err == nil && (want.UnixMilli() == got || want.Unix() == 0)
		}
		if !r.any(name, good) {
			diffs = append(diffs, fmt.Sprintf("%s: got %s, tshark %v", name, time.UnixMilli(got).UTC(), r[name]))
		}
	}
	start, ok1 := r.seconds("timestart")
	end, ok2 := r.seconds("timeend")
	// Uptimes wrap at 32 bits.
	if ok1 && ok2 && b.StartAt[i] != 0 && uint32(b.EndAt[i]-b.StartAt[i]) != uint32(end-start) {
		diffs = append(diffs, fmt.Sprintf("lasts %d ms, tshark %d ms", b.EndAt[i]-b.StartAt[i], end-start))
	}
	return diffs
}

// seconds reads seconds as milliseconds.
func (r tsharkRecord) seconds(name string) (int64, bool) {
	text, ok := r.first(name)
	if !ok {
		return 0, false
	}
	f, err := strconv.ParseFloat(text, 64)
	return int64(f*1000 + 0.5), err == nil
}
