package geo

import "github.com/oschwald/maxminddb-golang/v2"

// ReadCountry and ReadSystem are what is taken from a record.
var ReadCountry = readCountry

func ReadSystem(r maxminddb.Result) (number uint32, org string) {
	s := readSystem(r)
	return s.number, s.org
}
