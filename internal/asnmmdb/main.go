// Command asnmmdb makes an MMDB file of autonomous systems from CSV files with the
// columns first address, last address, number, organisation, as the npm package
// @ip-location-db/asn carries them:
//
//	go run ./internal/asnmmdb -o asn.mmdb asn-ipv4.csv asn-ipv6.csv
//
// The records have the fields of GeoLite2-ASN. The same input gives the same
// bytes: the build date is taken from the version in the package.json beside the
// first file, unless -date gives it.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"
)

func main() {
	if err := run(os.Args[1:], os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "asnmmdb:", err)
		os.Exit(1)
	}
}

func run(args []string, log io.Writer) error {
	flags := flag.NewFlagSet("asnmmdb", flag.ContinueOnError)
	flags.SetOutput(log)
	out := flags.String("o", "", "file to write")
	date := flags.String("date", "", "build date of the database, as in 2026-06-17")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *out == "" || flags.NArg() == 0 {
		return errors.New("usage: asnmmdb -o OUT.mmdb [-date YYYY-MM-DD] FILE.csv…")
	}
	built, err := buildDate(*date, flags.Arg(0))
	if err != nil {
		return err
	}
	return build(*out, built, flags.Args(), log)
}

// build writes the database to a file that appears whole or not at all.
func build(out string, built time.Time, files []string, log io.Writer) error {
	b, err := newBuilder(built)
	if err != nil {
		return err
	}
	for _, file := range files {
		if err := b.addFile(file); err != nil {
			return err
		}
	}
	partial := out + ".partial"
	if err := b.write(partial); err != nil {
		return errors.Join(err, os.Remove(partial))
	}
	if err := os.Rename(partial, out); err != nil {
		return err
	}
	fmt.Fprintf(log, "asnmmdb: %s: %d ranges, %d skipped because they are reserved or carried inside IPv6, built %s\n",
		out, b.inserted, b.skipped, built.Format(time.DateOnly))
	return nil
}
