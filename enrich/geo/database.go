package geo

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/oschwald/maxminddb-golang/v2"
)

// remedy says how to get a database.
const remedy = "run `make setup` for free ones, or name a GeoLite2, GeoIP2, DB-IP or IPinfo file in MMDB format"

// database is one MMDB file in memory, checked whole. It is gone once the atlas
// is made.
type database struct {
	reader *maxminddb.Reader
	// tags are what the records say, by their offset in the file.
	tags    map[uintptr]uint32
	unknown uint32 // the tag of addresses without a record
	leaves  int    // of the tree
}

// edition is what the log and the metrics tell about a database.
type edition struct {
	kind  string // as the file says, such as GeoLite2-Country
	built time.Time
}

// readTag gives the tag of a record, the database's unknown one where the record
// says nothing.
type readTag func(maxminddb.Result) (uint32, error)

// open reads and checks a file for the setting enrich.geo.<setting>; nil where
// none is set. A file whose records all have the tag unknown is an error: what says
// what it should know.
func open(file, setting, what string, unknown uint32, read readTag) (*database, error) {
	if file == "" {
		return nil, nil
	}
	d, err := openFile(file, unknown, read)
	if err == nil {
		err = d.mustKnow(what)
	}
	if err != nil {
		return nil, fmt.Errorf("enrich.geo.%s: %s: %w; %s", setting, file, err, remedy)
	}
	return d, nil
}

func openFile(file string, unknown uint32, read readTag) (*database, error) {
	data, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		return nil, errors.New("there is no such file")
	}
	if err != nil {
		return nil, err
	}
	return openBytes(data, unknown, read)
}

// openBytes checks and decodes the bytes of a file; it keeps them.
func openBytes(data []byte, unknown uint32, read readTag) (*database, error) {
	reader, err := maxminddb.OpenBytes(data)
	if err != nil {
		return nil, fmt.Errorf("not a usable MMDB file: %w", err)
	}
	d := &database{reader: reader, tags: map[uintptr]uint32{}, unknown: unknown}
	err = verify(reader)
	if err == nil {
		err = d.decode(read)
	}
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

// decode walks the whole tree and reads every record once.
func (d *database) decode(read readTag) error {
	for leaf, err := range d.walk(d.everything()) {
		if err != nil {
			return err
		}
		d.leaves++
		if !leaf.Found() {
			continue
		}
		if _, seen := d.tags[leaf.Offset()]; seen {
			continue
		}
		if d.tags[leaf.Offset()], err = read(leaf); err != nil {
			return err
		}
	}
	return nil
}

// mustKnow is an error where no record says anything.
func (d *database) mustKnow(what string) error {
	for _, tag := range d.tags {
		if tag != d.unknown {
			return nil
		}
	}
	return fmt.Errorf("the database (%s) knows no %s", d.reader.Metadata.DatabaseType, what)
}

// size is about how many ranges it has; 0 where the database is off.
func (d *database) size() int {
	if d == nil {
		return 0
	}
	return d.leaves
}

// edition is the zero edition where the database is off.
func (d *database) edition() edition {
	if d == nil {
		return edition{}
	}
	return edition{kind: d.reader.Metadata.DatabaseType, built: d.reader.Metadata.BuildTime().UTC()}
}
