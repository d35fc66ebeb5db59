package intel

import (
	"errors"
	"fmt"
	"strings"

	"tapwatch/internal/config"
)

// Config lists the intelligence lists.
type Config struct {
	// Lists are asked in order: of two that name the same prefix, the first one
	// counts.
	Lists []List `yaml:"lists"`
}

// List is a file of addresses and prefixes.
type List struct {
	// Name is shown on alerts and stands in the columns src_intel and dst_intel.
	Name string `yaml:"name"`
	// File has an address or a prefix a line; see the package's documentation.
	File string `yaml:"file"`
	// Description says where the list is from, for people.
	Description string `yaml:"description"`
}

// DefaultConfig has no lists.
func DefaultConfig() Config { return Config{} }

// Validate reports lists without name or file and names used twice.
func (c *Config) Validate() error {
	var all []error
	first := map[string]int{}
	for i, l := range c.Lists {
		key := config.Index("lists", i)
		j, taken := first[l.Name]
		switch {
		case l.Name == "":
			all = append(all, config.Invalid(key+".name", "is missing: give the list a name, it is shown on alerts"))
		case strings.ContainsAny(l.Name, ": \t"):
			all = append(all, config.Invalid(key+".name", "%q has a colon or a space in it: use letters, digits and dashes", l.Name))
		case taken:
			all = append(all, config.Invalid(key+".name", "%q is the name of lists[%d] already: give each list a name of its own", l.Name, j))
		default:
			first[l.Name] = i
		}
		if l.File == "" {
			all = append(all, config.Invalid(key+".file", "is missing: name a file with an address or a prefix a line"))
		}
	}
	return errors.Join(all...)
}

// setting names the setting that the list is from.
func setting(i int) string { return fmt.Sprintf("enrich.intel.lists[%d].file", i) }
