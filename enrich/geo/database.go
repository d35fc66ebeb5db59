package geo

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"time"

	"github.com/oschwald/maxminddb-golang/v2"
)

// remedy says how to get a database.
const remedy = "run `make setup` for free ones, or name a GeoLite2, GeoIP2, DB-IP or IPinfo file in MMDB format"

// database is one MMDB file in memory, with its records decoded to T.
type database[T comparable] struct {
	reader *maxminddb.Reader
	// values are the decoded records by their offset in the file. It is filled
	// when the file is opened and only read from then on.
	values     map[uintptr]T
	kind       string // as the file says, such as GeoLite2-Country
	buildEpoch float64
}

// open reads and checks a file for the setting enrich.geo.<setting>. A file
// without any value that read finds is an error: what says what those are.
func open[T comparable](file, setting, what string, read func(maxminddb.Result) T) (*database[T], error) {
	d, err := openFile(file, read)
	if err == nil {
		err = d.mustKnow(what)
	}
	if err != nil {
		return nil, fmt.Errorf("enrich.geo.%s: %s: %w; %s", setting, file, err, remedy)
	}
	return d, nil
}

func openFile[T comparable](file string, read func(maxminddb.Result) T) (*database[T], error) {
	data, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		return nil, errors.New("there is no such file")
	}
	if err != nil {
		return nil, err
	}
	return openBytes(data, read)
}

// openBytes checks and decodes the bytes of a file; it keeps them.
func openBytes[T comparable](data []byte, read func(maxminddb.Result) T) (*database[T], error) {
	reader, err := maxminddb.OpenBytes(data)
	if err != nil {
		return nil, fmt.Errorf("not a usable MMDB file: %w", err)
	}
	if err := verify(reader); err != nil {
		return nil, fmt.Errorf("damaged MMDB file: %w", err)
	}
	d := &database[T]{reader: reader, kind: reader.Metadata.DatabaseType, buildEpoch: float64(reader.Metadata.BuildEpoch)}
	d.values, err = decode(reader, read)
	if err != nil {
		return nil, fmt.Errorf("damaged MMDB file: %w", err)
	}
	return d, nil
}

// verify checks the whole file. Without a description, which ip-location-db leaves
// out, the library would check no further, so it is given one.
func verify(reader *maxminddb.Reader) error {
	if len(reader.Metadata.Description) == 0 {
		reader.Metadata.Description = map[string]string{"en": "none"}
	}
	return reader.Verify()
}

// decode reads every record once. A tree of n nodes has n+1 leaves; one that leads
// to many times as many shares its branches and might take for ever to walk.
func decode[T comparable](reader *maxminddb.Reader, read func(maxminddb.Result) T) (map[uintptr]T, error) {
	const shared = 16
	limit := shared * (reader.Metadata.NodeCount + 1)
	values := map[uintptr]T{}
	interned := map[T]T{}
	var leaves uint
	for result := range reader.Networks(maxminddb.IncludeNetworksWithoutData()) {
		if leaves++; leaves > limit {
			return nil, errors.New("the search tree has more leaves than its nodes can carry")
		}
		if err := result.Err(); err != nil {
			return nil, err
		}
		if !result.Found() {
			continue
		}
		if _, seen := values[result.Offset()]; seen {
			continue
		}
		v := read(result)
		if same, ok := interned[v]; ok {
			v = same
		} else {
			interned[v] = v
		}
		values[result.Offset()] = v
	}
	return values, nil
}

// mustKnow is an error where no record has a value.
func (d *database[T]) mustKnow(what string) error {
	var none T
	for _, v := range d.values {
		if v != none {
			return nil
		}
	}
	return fmt.Errorf("the database (%s) knows no %s", d.kind, what)
}

// lookup returns what the database knows about an address; the zero value where
// it knows nothing.
func (d *database[T]) lookup(addr netip.Addr) T {
	var none T
	if !addr.Is4() && d.reader.Metadata.IPVersion == 4 {
		return none // Lookup would make an error of it
	}
	result := d.reader.Lookup(addr)
	if !result.Found() {
		return none
	}
	return d.values[result.Offset()]
}

// builtText is the day on which the database was built.
func (d *database[T]) builtText() string {
	return d.reader.Metadata.BuildTime().UTC().Format(time.DateOnly)
}
