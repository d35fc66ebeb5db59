package native_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tapwatch/flow"
	"tapwatch/storage"
)

// oddTexts are strings that an encoding may trip over.
var oddTexts = []string{"", "DE", "", "Käse O'Brien \\ AG", "日本", "\x00", " ", "`\"'", "\xff\xfe"}

// everything are n records with values in every column, the least and greatest among
// them; Bytes orders them.
func everything(n int) *flow.Batch {
	random := rand.New(rand.NewPCG(1, 2))
	var b flow.Batch
	b.Grow(n)
	for i := range flow.Fields {
		switch column := flow.Fields[i].Values(&b).(type) {
		case []uint8:
			fill(column, random)
		case []uint16:
			fill(column, random)
		case []uint32:
			fill(column, random)
		case []uint64:
			fill(column, random)
		case []bool:
			for r := range column {
				column[r] = r%2 == 0
			}
		case [][16]byte:
			for r := range column {
				for at := range column[r] {
					column[r][at] = byte(random.Uint32())
				}
			}
		case []int64:
			for r := range column {
				column[r] = testTime.UnixMilli() - random.Int64N(1000)
			}
		case []string:
			for r := range column {
				column[r] = oddTexts[(r+i)%len(oddTexts)]
			}
		case []int8: // see below
		default:
			panic(fmt.Sprintf("a column of %T", column))
		}
	}
	for i := range n {
		b.Bytes[i] = uint64(i)
		b.ExportProtocol[i] = []int8{0, 1, 5, 7, 9, 10, 105}[i%7]
		b.Direction[i], b.Initiator[i], b.AssetEnd[i], b.Tunnel[i] = int8(i%3), int8((i+1)%3), int8((i+2)%3), int8(i%9)
	}
	return &b
}

func fill[T uint8 | uint16 | uint32 | uint64](column []T, random *rand.Rand) {
	for r := range column {
		switch r {
		case 0:
		case 1:
			column[r] = ^T(0)
		default:
			column[r] = T(random.Uint64())
		}
	}
}

// traffic are n records as a carrier's routers export them: the columns of NATs,
// firewalls, tunnels and labels are empty, most ends lie in no zone, and the names are
// those that the enrichments hand out again and again.
func traffic(n int) *flow.Batch {
	random := rand.New(rand.NewPCG(3, 4))
	organisations := make([]string, 3000)
	for i := range organisations {
		organisations[i] = fmt.Sprintf("Organisation %d of somewhere", i)
	}
	countries := make([]string, 200)
	for i := range countries {
		countries[i] = string([]byte{'A' + byte(i%26), 'A' + byte(i/26)})
	}
	common := rand.NewZipf(random, 1.2, 4, uint64(len(organisations)-1))
	var b flow.Batch
	b.Grow(n)
	for i := range n {
		b.ReceivedAt[i] = testTime.UnixMilli() + int64(i/50)
		b.StartAt[i], b.EndAt[i] = b.ReceivedAt[i]-random.Int64N(60_000), b.ReceivedAt[i]-random.Int64N(1000)
		b.Exporter[i] = flow.From4([4]byte{192, 0, 2, byte(i / 30 % 20)})
		b.ObservationDomain[i], b.ExportProtocol[i], b.SamplingInterval[i] = uint32(i/30%4), flow.ExportIPFIX, 1000
		b.SrcAddr[i] = flow.From4([4]byte{100, 64, byte(random.Uint32()), byte(random.Uint32())})
		b.DstAddr[i] = flow.From4([4]byte{byte(random.Uint32()), byte(common.Uint64()), 7, byte(random.Uint32())})
		b.SrcPort[i], b.DstPort[i] = uint16(random.Uint32()), []uint16{443, 443, 443, 80, 53, 123}[random.IntN(6)]
		b.Protocol[i], b.IPVersion[i], b.TCPFlags[i] = []uint8{6, 6, 17}[random.IntN(3)], 4, uint16(random.Uint32N(32))
		b.Packets[i] = 1 + common.Uint64()
		b.Bytes[i] = b.Packets[i] * (40 + random.Uint64N(1400))
		b.Direction[i], b.EndReason[i], b.Forwarding[i] = flow.DirectionIngress, uint8(1+random.IntN(3)), 64
		b.InIf[i], b.OutIf[i] = 1+random.Uint32N(40), 1+random.Uint32N(40)
		b.NextHop[i] = flow.From4([4]byte{10, 0, 0, byte(random.Uint32N(40))})
		b.SrcAS[i], b.DstAS[i] = 64496, uint32(common.Uint64())
		b.SrcMask[i], b.DstMask[i] = 20, uint8(16+random.IntN(9))
		org := common.Uint64()
		b.SrcCountry[i], b.DstCountry[i] = countries[0], countries[org%200]
		b.SrcASN[i], b.DstASN[i] = 64496, uint32(org)
		b.SrcASOrg[i], b.DstASOrg[i] = organisations[0], organisations[org]
		if i%50 == 0 {
			b.DstZone[i], b.DstZoneKind[i] = "li-east", flow.ZoneLawfulIntercept
			b.DstAsset[i], b.DstRole[i], b.Watched[i] = "mdf3-1", "mdf3", true
		}
		b.Initiator[i] = flow.InitiatorSrc
	}
	return &b
}

// sameAsStored compares b with a table, whose rows are ordered by bytes: the columns
// named, or all.
func sameAsStored(t *testing.T, s *storage.Store, table string, b *flow.Batch, columns ...string) {
	t.Helper()
	for i := range flow.Fields {
		f := &flow.Fields[i]
		if len(columns) > 0 && !slices.Contains(columns, f.Name) {
			continue
		}
		rows, err := s.Query(t.Context(), "SELECT "+f.Name+" FROM "+table+" ORDER BY bytes")
		if err != nil {
			t.Fatal(err)
		}
		n, wrong := 0, 0
		for ; rows.Next() && n < b.Len(); n++ {
			got, want := readValue(t, rows.Scan, f.Value(b, n)), f.Value(b, n)
			if diff := cmp.Diff(want, got); diff != "" && wrong < 3 {
				wrong++
				t.Errorf("%s of record %d (-written +stored):\n%s", f.Name, n, diff)
			}
		}
		if err := rows.Close(); err != nil || n != b.Len() {
			t.Fatalf("%s: %d records are stored, want %d (error %v)", f.Name, n, b.Len(), err)
		}
	}
}

// readValue scans into a variable of the type of like; times as milliseconds.
func readValue(t *testing.T, scan func(...any) error, like any) any {
	t.Helper()
	if _, isTime := like.(int64); isTime {
		like = time.Time{}
	}
	v := reflect.New(reflect.TypeOf(like))
	if err := scan(v.Interface()); err != nil {
		t.Fatal(err)
	}
	if at, isTime := v.Elem().Interface().(time.Time); isTime {
		return at.UnixMilli()
	}
	return v.Elem().Interface()
}
