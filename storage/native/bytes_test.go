package native_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/ClickHouse/ch-go/proto"

	"tapwatch/flow"
	"tapwatch/internal/testkit"
	"tapwatch/storage/native"
)

// ch-go reads what Append writes, and finds the values.
func TestBytesAreWhatOthersRead(t *testing.T) {
	const n = 300
	b := everything(n)
	for i := range n {
		b.SrcIntel[i] = fmt.Sprint(i) // indexes of 16 bits
	}
	data := encode(t, b).Append(nil)
	var results proto.Results
	var block proto.Block
	if err := block.DecodeRawBlock(proto.NewReader(bytes.NewReader(data)), 0, results.Auto()); err != nil {
		t.Fatal(err)
	}
	fields := map[string]*flow.Field{}
	for i := range flow.Fields {
		fields[flow.Fields[i].Name] = &flow.Fields[i]
	}
	if block.Rows != n || len(results) != len(flow.Fields) {
		t.Fatalf("%d rows, %d columns", block.Rows, len(results))
	}
	for _, r := range results {
		f := fields[r.Name]
		if f == nil && (r.Name == "export_delay_ms" || r.Name == "duration_ms") {
			continue // start_at and end_at; the engine's tests read them
		}
		if f == nil {
			t.Fatalf("a column %s", r.Name)
		}
		for row := range n {
			var got any
			switch c := r.Data.(type) {
			case *proto.ColLowCardinality[string]:
				got = c.Row(row)
			case *proto.ColUInt64:
				got = c.Row(row)
			default:
				continue // their memory is the wire's; the engine's tests read them
			}
			if want := f.Value(b, row); got != want {
				t.Fatalf("%s of record %d is %v, want %v", f.Name, row, got, want)
			}
		}
	}
}

// ClickHouse takes the bytes as FORMAT Native, and what it gives as such is read and
// inserted.
func TestBytesAreFormatNative(t *testing.T) {
	s := testkit.Store(t)
	e := testkit.Engine(t).Writer()
	post := func(query string, body []byte) []byte {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+e.HTTPAddress+"/?database="+s.Database()+"&query="+strings.ReplaceAll(query, " ", "+"), bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.SetBasicAuth(e.Username, e.Password)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		answer, err := io.ReadAll(res.Body)
		if err != nil || res.StatusCode != http.StatusOK {
			t.Fatalf("%s: %s %s %v", query, res.Status, answer, err)
		}
		return answer
	}
	b := everything(100)
	post("INSERT INTO flows FORMAT Native", encode(t, b).Append(nil))
	sameAsStored(t, s, "flows", b)

	data := post("SELECT * EXCEPT inserted_on FROM flows ORDER BY bytes FORMAT Native", nil)
	if err := s.Exec(t.Context(), "TRUNCATE TABLE flows"); err != nil {
		t.Fatal(err)
	}
	block := new(native.Block)
	if rest, err := block.Read(data); err != nil || len(rest) > 0 {
		t.Fatalf("%d bytes are left, error %v", len(rest), err)
	}
	insert(t, client(t, options(t, s)), "", block)
	sameAsStored(t, s, "flows", b)
}

// Blocks stand one after the other in a file.
func TestReadGivesTheRest(t *testing.T) {
	var data []byte
	for _, b := range numbered(t, 1, 2, 3) {
		data = b.Append(data)
	}
	var b native.Block
	for want := 1; want <= 3; want++ {
		var err error
		if data, err = b.Read(data); err != nil || b.Rows() != want {
			t.Fatalf("block %d has %d records, error %v", want, b.Rows(), err)
		}
	}
	if _, err := b.Read(data); !errors.Is(err, native.ErrBroken) || b.Rows() != 0 {
		t.Errorf("Read of nothing: %v, %d records", err, b.Rows())
	}
}

// However a block is broken, Read says so or gives something that can be sent.
func TestReadOfBrokenBytes(t *testing.T) {
	good := encode(t, everything(3)).Append(nil)
	for n := range good {
		if _, err := new(native.Block).Read(good[:n]); !errors.Is(err, native.ErrBroken) {
			t.Fatalf("the first %d of %d bytes: %v", n, len(good), err)
		}
	}
	low := func(values string) []byte {
		return column([]byte{1, 2}, "src_zone", "LowCardinality(String)", []byte(values))
	}
	word := func(n byte, second ...byte) string {
		return string(append([]byte{n}, append(second, make([]byte, 7-len(second))...)...))
	}
	fine := word(1) + word(0, 6) + word(2) + "\x00\x01a" + word(2) + "\x00\x01"
	if _, err := new(native.Block).Read(low(fine)); err != nil {
		t.Fatal(err)
	}
	for name, values := range map[string]string{
		"another version":      word(2) + fine[8:],
		"no dictionary":        word(1) + word(0, 4) + fine[16:],
		"a global dictionary":  word(1) + word(0, 7) + fine[16:],
		"indexes of 64 bits":   word(1) + word(3, 6) + fine[16:],
		"too many entries":     word(1) + word(0, 6) + strings.Repeat("\xff", 8) + fine[24:],
		"no entry":             word(1) + word(0, 6) + word(0) + word(2) + "\x00\x00",
		"other number of rows": fine[:27] + word(3) + "\x00\x01\x00",
		"index too great":      fine[:len(fine)-1] + "\x02",
	} {
		if _, err := new(native.Block).Read(low(values)); !errors.Is(err, native.ErrBroken) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, data := range map[string][]byte{
		"a type unknown":    column([]byte{1, 1}, "a", "Array(UInt8)", []byte{1, 0}),
		"too many rows":     column([]byte{1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f}, "a", "UInt8", nil),
		"too many columns":  {0xff, 0xff, 0xff, 0xff, 0x0f, 1},
		"an endless number": bytes.Repeat([]byte{0xff}, 20),
	} {
		if _, err := new(native.Block).Read(data); !errors.Is(err, native.ErrBroken) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := new(native.Block).Read(column([]byte{1, 0}, "a", "UInt8", nil)); !errors.Is(err, native.ErrEmpty) {
		t.Errorf("no rows: %v", err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add(encode(f, everything(1)).Append(nil))
	f.Add(column([]byte{1, 2}, "a", "Enum8('a' = 1)", []byte{1, 1}))
	f.Fuzz(func(t *testing.T, data []byte) {
		var b native.Block
		rest, err := b.Read(data)
		if err != nil {
			if b.Rows() != 0 || len(b.Columns()) != 0 {
				t.Fatal("a broken block has contents")
			}
			return
		}
		var again native.Block
		written := b.Append(nil)
		if _, err := again.Read(written); err != nil || again.Rows() != b.Rows() {
			t.Fatalf("what Append writes of a block that was read: %v", err)
		}
		if len(written) > b.Size() || len(written) > len(data)-len(rest) {
			t.Fatalf("a block of %d bytes is written in %d, Size %d", len(data)-len(rest), len(written), b.Size())
		}
	})
}

func TestNoAllocationInSteadyState(t *testing.T) {
	e := native.NewEncoder()
	b := traffic(2000)
	var data []byte
	var read native.Block
	run := func() {
		block, err := e.Encode(b)
		if err != nil {
			t.Fatal(err)
		}
		data = block.Append(data[:0])
		if _, err := read.Read(data); err != nil {
			t.Fatal(err)
		}
	}
	run()
	if n := testing.AllocsPerRun(20, run); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// Columns that are zero throughout are not in the block; the others are.
func TestZeroColumnsAreLeftOut(t *testing.T) {
	names := encode(t, traffic(100)).Columns()
	has := map[string]bool{}
	for _, name := range names {
		has[name] = true
	}
	if has["src_addr_nat"] || has["src_zone"] || !has["dst_zone"] || !has["received_at"] || !has["bytes"] {
		t.Errorf("%v", names)
	}
}
