package inventory_test

import (
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"tapwatch/flow"
	"tapwatch/inventory"
)

// TestDocumentation reads docs/inventory.md: each YAML block parses with what it
// names, all together are one inventory, and the table of verdicts is true of it.
func TestDocumentation(t *testing.T) {
	data, err := os.ReadFile("../docs/inventory.md")
	if err != nil {
		t.Fatal(err)
	}
	page := string(data)
	blocks := yamlBlocks(page)
	if len(blocks) < 5 {
		t.Fatalf("only %d YAML blocks", len(blocks))
	}
	text := ""
	for i, block := range blocks { // each one needs at most those above it
		text += block
		if _, err := inventory.Parse("block"+strconv.Itoa(i+1), []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	v := parse(t, text)
	noon := time.Date(2027, 3, 3, 12, 0, 0, 0, time.UTC)
	verdicts := 0
	for line := range strings.Lines(page) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), " | ")
		if len(cells) != 5 || !strings.Contains(cells[0], ".") {
			continue
		}
		verdicts++
		if got := verdict(t, v, cells, noon); got != strings.TrimSpace(cells[4]) {
			t.Errorf("%s the page says: %s\nbut it is: %s", line, cells[4], got)
		}
	}
	if verdicts < 8 {
		t.Errorf("only %d verdicts found", verdicts)
	}
	if n := fenceVerdicts(t, v, page, noon); n < 8 {
		t.Errorf("only %d verdicts on fences found", n)
	}
	if w := v.Warnings(noon); w != nil {
		t.Errorf("warnings: %q", w)
	}
}

// fenceVerdicts holds the page's table of fences against what is so, and counts its
// rows.
func fenceVerdicts(t *testing.T, v *inventory.Inventory, page string, at time.Time) (rows int) {
	for line := range strings.Lines(page) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "| "), " | ")
		if len(cells) != 4 || !strings.Contains(cells[0], ".") {
			continue
		}
		rows++
		c := inventory.Crossing{Inside: addr(cells[0]), Outside: addr("203.0.113.66"), At: at, Opened: inventory.FenceOut}
		if cells[2] == "outside" {
			c.Opened = inventory.FenceIn
		}
		inside := v.Lookup(c.Inside)
		c.Zone, c.Kind = inside.Zone, inside.Kind
		if country, asn, known := strings.Cut(cells[1], " AS"); known {
			n, err := strconv.ParseUint(asn, 10, 32)
			if err != nil {
				t.Fatal(err)
			}
			c.Country, c.ASN = country, uint32(n)
		}
		got := "passes"
		if f, reason, broken := v.BrokenFence(c); broken {
			got = "breaks " + f.Name + ": " + reason
		}
		if got != cells[3] {
			t.Errorf("%s the page says: %s\nbut it is: %s", line, cells[3], got)
		}
	}
	return rows
}

// yamlBlocks gives the YAML blocks of a page.
func yamlBlocks(page string) (blocks []string) {
	parts := strings.Split(page, "```yaml\n")
	for _, p := range parts[1:] {
		block, _, _ := strings.Cut(p, "```")
		blocks = append(blocks, block)
	}
	return blocks
}

func verdict(t *testing.T, v *inventory.Inventory, cells []string, at time.Time) string {
	protocol, err := flow.ParseProtocol(strings.TrimSpace(cells[2]))
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.ParseUint(strings.TrimSpace(cells[3]), 10, 16)
	if err != nil {
		t.Fatal(err)
	}
	c := inventory.Conversation{
		Client: addr(strings.TrimSpace(cells[0])), Server: addr(strings.TrimSpace(cells[1])),
		Protocol: protocol, Port: uint16(port), At: at, InitiatorKnown: true,
	}
	if rule, ok := v.Allowed(c); ok {
		return "allowed by " + rule
	}
	return v.Explain(c)[0]
}
