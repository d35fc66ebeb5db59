package main

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"time"

	"github.com/maxmind/mmdbwriter"
	"github.com/maxmind/mmdbwriter/mmdbtype"
)

// builder collects ranges of addresses.
type builder struct {
	tree              *mmdbwriter.Tree
	inserted, skipped int
}

func newBuilder(built time.Time) (*builder, error) {
	tree, err := mmdbwriter.New(mmdbwriter.Options{
		BuildEpoch:   built.Unix(),
		DatabaseType: "ip-location-db-ASN",
		Description:  map[string]string{"en": "Autonomous systems, from the CSV files of ip-location-db"},
		RecordSize:   24,
		KeyGenerator: systemKey{},
	})
	return &builder{tree: tree}, err
}

// addFile adds the ranges of a CSV file.
func (b *builder) addFile(file string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	r := csv.NewReader(bufio.NewReader(f))
	r.FieldsPerRecord = 4
	r.ReuseRecord = true
	for {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		if err := b.add(record); err != nil {
			line, _ := r.FieldPos(0)
			return fmt.Errorf("%s:%d: %w", file, line, err)
		}
	}
}

// add inserts one range. Those that the writer reserves, private and tunnelled
// addresses, are counted and left out.
func (b *builder) add(record []string) error {
	first, last := net.ParseIP(record[0]), net.ParseIP(record[1])
	if first == nil || last == nil {
		return fmt.Errorf("%q to %q is no range of addresses", record[0], record[1])
	}
	number, err := strconv.ParseUint(record[2], 10, 32)
	if err != nil {
		return fmt.Errorf("%q is no number of an autonomous system", record[2])
	}
	err = b.tree.InsertRange(first, last, mmdbtype.Map{
		"autonomous_system_number":       mmdbtype.Uint32(number),
		"autonomous_system_organization": mmdbtype.String(record[3]),
	})
	var reserved *mmdbwriter.ReservedNetworkError
	var aliased *mmdbwriter.AliasedNetworkError
	switch {
	case errors.As(err, &reserved), errors.As(err, &aliased):
		b.skipped++
		return nil
	case err != nil:
		return fmt.Errorf("insert %s to %s: %w", record[0], record[1], err)
	}
	b.inserted++
	return nil
}

func (b *builder) write(file string) (err error) {
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	w := bufio.NewWriter(f)
	if _, err := b.tree.WriteTo(w); err != nil {
		return fmt.Errorf("write %s: %w", file, err)
	}
	return w.Flush()
}

// systemKey tells records apart by what they hold, at less cost than the writer's
// own way, which serializes and hashes them.
type systemKey struct{}

// Key implements mmdbwriter.KeyGenerator.
func (systemKey) Key(v mmdbtype.DataType) ([]byte, error) {
	m, ok := v.(mmdbtype.Map)
	if !ok {
		return nil, fmt.Errorf("record of type %T", v)
	}
	number, _ := m["autonomous_system_number"].(mmdbtype.Uint32)
	org, _ := m["autonomous_system_organization"].(mmdbtype.String)
	return append(strconv.AppendUint(nil, uint64(number), 10), "\x00"+string(org)...), nil
}
