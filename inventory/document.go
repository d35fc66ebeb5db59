package inventory

import (
	"errors"
	"slices"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"

	"tapwatch/internal/config"
)

// document is the file as YAML. Names, addresses and the like are texts here:
// Validate reads them, so that every mistake is reported, at its own place.
type document struct {
	Zones       []zoneDocument        `yaml:"zones"`
	Services    map[string]texts      `yaml:"services"`
	Allow       []ruleDocument        `yaml:"allow"`
	Exporters   []exporterDocument    `yaml:"exporters"`
	Tunnels     []tunnelDocument      `yaml:"tunnels"`
	Maintenance []maintenanceDocument `yaml:"maintenance"`
	Fences      []fenceDocument       `yaml:"fences"`

	inventory *Inventory
}

type zoneDocument struct {
	Name      string          `yaml:"name"`
	Kind      string          `yaml:"kind"`
	Prefixes  texts           `yaml:"prefixes"`
	Assets    []assetDocument `yaml:"assets"`
	Protected *bool           `yaml:"protected"`
}

type assetDocument struct {
	Name      string `yaml:"name"`
	Addresses texts  `yaml:"addresses"`
	Role      string `yaml:"role"`
}

type ruleDocument struct {
	Name      string `yaml:"name"`
	From      texts  `yaml:"from"`
	To        texts  `yaml:"to"`
	Protocol  string `yaml:"protocol"`
	Ports     texts  `yaml:"ports"`
	Initiator string `yaml:"initiator"`
	Schedule  string `yaml:"schedule"`
	Expires   string `yaml:"expires"`
	Owner     string `yaml:"owner"`
	Ticket    string `yaml:"ticket"`
}

type exporterDocument struct {
	Address    string           `yaml:"address"`
	Name       string           `yaml:"name"`
	Site       string           `yaml:"site"`
	Platform   string           `yaml:"platform"`
	Sampling   uint32           `yaml:"sampling"`
	Interfaces map[string]texts `yaml:"interfaces"`
	Attached   map[string]texts `yaml:"attached"`
}

type tunnelDocument struct {
	Endpoints texts  `yaml:"endpoints"`
	Protocol  string `yaml:"protocol"`
	Owner     string `yaml:"owner"`
	Ticket    string `yaml:"ticket"`
}

type maintenanceDocument struct {
	Name      string `yaml:"name"`
	Exporters texts  `yaml:"exporters"`
	Zones     texts  `yaml:"zones"`
	Assets    texts  `yaml:"assets"`
	From      string `yaml:"from"`
	To        string `yaml:"to"`
	Ticket    string `yaml:"ticket"`
}

// Validate builds the inventory and gives every mistake as a *config.KeyError.
func (d *document) Validate() error {
	b := newBuilder()
	b.addZones(d.Zones)
	b.addAssets(d.Zones)
	b.addServices(d.Services)
	b.addRules(d.Allow)
	b.addExporters(d.Exporters)
	b.addTunnels(d.Tunnels)
	b.addMaintenance(d.Maintenance)
	b.addFences(d.Fences)
	d.inventory = b.inventory
	return errors.Join(b.mistakes...)
}

// texts is one scalar or a list of them, as written.
type texts struct {
	items []string
	// single says that the file has a scalar, not a list.
	single bool
}

// UnmarshalYAML reads a scalar or a list of scalars. It keeps what the file says:
// a port 0443 stays one, not a number in base 8.
func (t *texts) UnmarshalYAML(node ast.Node) error {
	*t = texts{}
	switch n := unwrapped(node).(type) {
	case *ast.NullNode:
		return nil
	case *ast.SequenceNode:
		for _, item := range n.Values {
			text, ok := scalarText(unwrapped(item))
			if !ok {
				return notTexts(item)
			}
			t.items = append(t.items, text)
		}
		return nil
	default:
		text, ok := scalarText(n)
		if !ok {
			return notTexts(node)
		}
		*t = texts{items: []string{text}, single: true}
		return nil
	}
}

func notTexts(node ast.Node) error {
	return &yaml.SyntaxError{Message: "is not a value or a list of values: write x or [x, y], without a space after a colon", Token: node.GetToken()}
}

// unwrapped removes a YAML anchor and a tag.
func unwrapped(node ast.Node) ast.Node {
	switch n := node.(type) {
	case *ast.AnchorNode:
		return unwrapped(n.Value)
	case *ast.TagNode:
		return unwrapped(n.Value)
	}
	return node
}

func scalarText(node ast.Node) (string, bool) {
	switch n := node.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.LiteralNode:
		return n.Value.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return n.GetToken().Value, true
	case *ast.MappingNode:
		if len(n.Values) == 1 {
			return scalarText(n.Values[0])
		}
	case *ast.MappingValueNode:
		return rejoined(n)
	}
	return "", false
}

// rejoined gives the scalar zone:li that the YAML library takes for the mapping
// zone: li in a list inside braces, {to: [zone:li]}. With a space after the colon
// it is a mapping indeed.
func rejoined(n *ast.MappingValueNode) (string, bool) {
	key, value := n.Key.GetToken(), n.Value.GetToken()
	if _, simple := n.Value.(ast.ScalarNode); !simple || key.Position.Line != value.Position.Line {
		return "", false
	}
	text := key.Value + ":" + value.Value
	return text, value.Position.Column == key.Position.Column+len(key.Value)+1
}

// key is the path of item i of the texts at path.
func (t texts) key(path string, i int) string {
	if t.single {
		return path
	}
	return config.Index(path, i)
}

// sortedKeys gives the keys in order, for the same errors every time.
func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
