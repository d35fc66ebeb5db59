package intel

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"tapwatch/internal/config"
)

// Config lists the intelligence lists.
type Config struct {
	// Lists are asked in order: of two that name the same prefix for the same time, the
	// first one counts.
	Lists []List `yaml:"lists"`
}

// List is a file of indicators: addresses and prefixes.
type List struct {
	// Name is shown on alerts and stands in the columns src_intel and dst_intel.
	Name string `yaml:"name"`
	// File has the indicators; see the package's documentation.
	File string `yaml:"file"`
	// Format is text, csv or stix; empty: the one that the file looks like.
	Format string `yaml:"format"`
	// Confidence is that of indicators that do not say theirs, 1 to 100; 0: not known.
	Confidence uint8 `yaml:"confidence"`
	// Backdate is how long before their first day indicators hold already: many lists
	// give the day on which they were written down.
	Backdate time.Duration `yaml:"backdate"`
	// ExpireAfter is how long after they were last seen, or first where the list does not
	// say, indicators hold that have no last day; 0: for good.
	ExpireAfter time.Duration `yaml:"expire_after"`
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
		if !slices.Contains([]string{"", FormatText, FormatCSV, FormatSTIX}, l.Format) {
			all = append(all, config.Invalid(key+".format", "%q is unknown: use text, csv or stix, or leave it out", l.Format))
		}
		if l.Confidence > 100 {
			all = append(all, config.Invalid(key+".confidence", "%d is above 100", l.Confidence))
		}
		if l.Backdate < 0 {
			all = append(all, config.Invalid(key+".backdate", "%v is below 0s", l.Backdate))
		}
		if l.ExpireAfter < 0 {
			all = append(all, config.Invalid(key+".expire_after", "%v is below 0s", l.ExpireAfter))
		}
	}
	return errors.Join(all...)
}

// setting names the setting that the list is from.
func setting(i int) string { return fmt.Sprintf("enrich.intel.lists[%d].file", i) }
