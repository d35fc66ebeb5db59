// Package simulate is a carrier network that exports flows: Northwind Telecom,
// which does not exist. Its routers watch subscribers, core signalling, management,
// lawful-intercept delivery and the noise of the internet, and export what they see
// as NetFlow v5, NetFlow v9, IPFIX and sFlow, each from its own address. Into this
// traffic it plants the intrusions of a scenario.Plan, and knows exactly which
// flows are theirs.
//
// Everything is a function of the seed and of stream time: the same seed and span
// give the same records and the same bytes, and a span cut in two gives what the
// whole gives. Only Run looks at a clock, and only to wait.
//
// The addresses of the real internet in it are data inside flow records. Nothing is
// ever sent to them: Run refuses a target that is not a loopback address.
package simulate

import (
	_ "embed" // the files below
	"slices"
)

//go:embed carrier.yaml
var carrierYAML []byte

//go:embed intel.txt
var intelTXT []byte

//go:embed internet.csv
var internetCSV string

// Inventory is the inventory file of the simulated carrier.
func Inventory() []byte { return slices.Clone(carrierYAML) }

// Intelligence is the intelligence list of the demo, CIDRs one a line.
func Intelligence() []byte { return slices.Clone(intelTXT) }
