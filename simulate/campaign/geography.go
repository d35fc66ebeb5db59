package campaign

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"

	"github.com/maxmind/mmdbwriter"
	"github.com/maxmind/mmdbwriter/mmdbtype"
)

// WriteGeography writes two MMDB files into dir, with the fields of GeoLite2: the
// country and the autonomous system of everything outside the carrier and of its
// public addresses. It gives their names.
func (c *Campaign) WriteGeography(dir string) (country, asn string, err error) {
	country, asn = filepath.Join(dir, "country.mmdb"), filepath.Join(dir, "asn.mmdb")
	err = c.writeDatabase(country, "GeoLite2-Country", func(n *network) mmdbtype.Map {
		return mmdbtype.Map{"country": mmdbtype.Map{"iso_code": mmdbtype.String(n.country)}}
	})
	if err != nil {
		return "", "", err
	}
	err = c.writeDatabase(asn, "GeoLite2-ASN", func(n *network) mmdbtype.Map {
		org, known := organisations[n.asn]
		if !known {
			org = fmt.Sprintf("AS%d", n.asn)
		}
		return mmdbtype.Map{
			"autonomous_system_number":       mmdbtype.Uint32(n.asn),
			"autonomous_system_organization": mmdbtype.String(org),
		}
	})
	return country, asn, err
}

func (c *Campaign) writeDatabase(file, kind string, row func(*network) mmdbtype.Map) (err error) {
	tree, err := mmdbwriter.New(mmdbwriter.Options{
		BuildEpoch: c.cfg.Start.Unix(), DatabaseType: kind, RecordSize: 24,
		Description:             map[string]string{"en": "the internet of a simulated campaign"},
		IncludeReservedNetworks: true, // the agencies and the carrier have documentation addresses
	})
	if err != nil {
		return fmt.Errorf("geography of the campaign: %w", err)
	}
	for i := range c.carrier.internet.networks {
		n := &c.carrier.internet.networks[i]
		_, prefix, err := net.ParseCIDR(n.prefix.Masked().String())
		if err != nil {
			return fmt.Errorf("geography of the campaign: %w", err)
		}
		if err := tree.Insert(prefix, row(n)); err != nil {
			return fmt.Errorf("geography of the campaign: insert %s: %w", prefix, err)
		}
	}
	f, err := os.Create(file)
	if err != nil {
		return fmt.Errorf("geography of the campaign: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	w := bufio.NewWriter(f)
	if _, err := tree.WriteTo(w); err != nil {
		return fmt.Errorf("write %s: %w", file, err)
	}
	return w.Flush()
}
