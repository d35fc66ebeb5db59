package detecttest

import _ "embed"

// Operator is the inventory of the tests' operator, as YAML.
//
//go:embed inventory.yaml
var Operator string
