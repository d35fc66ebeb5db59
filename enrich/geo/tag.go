package geo

import (
	"errors"

	"github.com/oschwald/maxminddb-golang/v2"
)

// A tag is what the databases say about an address, in one number that fits a
// partition: the country's number in the upper bits, the system's in the lower
// ones. Either is 0 where there is nothing to say, since the address is not public
// or the database is off, and 1 where the database does not know the address.
const (
	systemBits = 21
	systemMask = 1<<systemBits - 1

	unknownSystem  uint32 = 1
	unknownCountry uint32 = 1 << systemBits
	// firstCountry is AA's, the others follow in the order of letters: with 677
	// countries and 2^21 systems a tag has 31 bits.
	firstCountry = 2
)

// countries are the codes by their numbers.
var countries = func() (codes [firstCountry + 26*26]string) {
	for i := range 26 * 26 {
		codes[firstCountry+i] = string([]byte{'A' + byte(i/26), 'A' + byte(i%26)})
	}
	return codes
}()

// countryTag is the tag of a record of a country database.
func countryTag(r maxminddb.Result) (uint32, error) {
	code := readCountry(r)
	if code == "" {
		return unknownCountry, nil
	}
	return (firstCountry + uint32(code[0]-'A')*26 + uint32(code[1]-'A')) << systemBits, nil
}

// systems are autonomous systems by their numbers in tags, each one once.
type systems struct {
	list    []system
	numbers map[system]uint32
}

// newSystems returns the two systems that every file has: the number 0, for which
// there is nothing to say, and the unknown one.
func newSystems() *systems {
	return &systems{list: make([]system, unknownSystem+1), numbers: map[system]uint32{{}: unknownSystem}}
}

// tag is the tag of a record of a database of autonomous systems.
func (s *systems) tag(r maxminddb.Result) (uint32, error) { return s.number(readSystem(r)) }

func (s *systems) number(found system) (uint32, error) {
	if n, ok := s.numbers[found]; ok {
		return n, nil
	}
	n := uint32(len(s.list))
	if n > systemMask {
		return 0, errors.New("it names more autonomous systems than there can be")
	}
	s.list, s.numbers[found] = append(s.list, found), n
	return n, nil
}
