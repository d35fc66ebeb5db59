package inventory

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"tapwatch/flow"
)

// Approval is a conversation that somebody allowed from an alert, until the file has a
// rule for it or it expires.
type Approval struct {
	// ID is unique; the rule is named "approval-" and the ID.
	ID string
	// Client may open conversations with Server; EitherInitiates: and the other way
	// around.
	Client, Server  netip.Addr
	EitherInitiates bool
	// Protocol is the IP protocol number, Port the server's; 0: the protocol has none.
	Protocol uint8
	Port     uint16
	// Expires is the first moment at which it no longer holds.
	Expires               time.Time
	Owner, Ticket, Reason string
}

// WithApprovals returns the inventory with an allow rule for each approval, after those
// of the file; v itself where there are none. v stays as it is.
func WithApprovals(v *Inventory, approvals []Approval) *Inventory {
	if len(approvals) == 0 {
		return v
	}
	with := &Inventory{
		Zones: v.Zones, Services: v.Services, Exporters: v.Exporters, Tunnels: v.Tunnels, Maintenance: v.Maintenance, Fences: v.Fences,
		services: v.services, exporters: v.exporters,
		Allow: append(make([]Rule, 0, len(v.Allow)+len(approvals)), v.Allow...),
	}
	for p, e := range v.entries.All() { // the table cannot be copied as a value
		with.entries.Insert(p, e)
	}
	for i := range approvals {
		with.Allow = append(with.Allow, approvals[i].rule(v))
	}
	return with
}

// rule is the rule that allows what was seen and no more. An end that an asset of the
// inventory owns is that asset, whichever of its addresses it uses.
func (a *Approval) rule(v *Inventory) Rule {
	r := Rule{
		Name: "approval-" + a.ID, From: []Selector{v.selectorOf(a.Client)}, To: []Selector{v.selectorOf(a.Server)},
		Protocol: a.Protocol, EitherInitiates: a.EitherInitiates, Expires: a.Expires, Owner: a.Owner, Ticket: a.Ticket,
	}
	if a.Port != 0 {
		r.Ports = []PortRange{{a.Port, a.Port}}
	}
	return r
}

// selectorOf selects the asset that owns the address, or the address alone.
func (v *Inventory) selectorOf(addr netip.Addr) Selector {
	addr = plain(addr)
	if name := v.Lookup(addr).Asset; name != "" {
		return Selector{text: "asset:" + name, by: byAsset, value: name}
	}
	if !addr.IsValid() {
		return Selector{} // selects nothing
	}
	return Selector{text: addr.String(), by: byPrefix, prefix: netip.PrefixFrom(addr, addr.BitLen())}
}

// Shared tells whether the address is one that many have to do with for good reason: it
// is in a service of the inventory.
func (v *Inventory) Shared(addr netip.Addr) bool {
	addr = plain(addr)
	for _, table := range v.services {
		if table.Contains(addr) {
			return true
		}
	}
	return false
}

// approvalRule is a rule as the file has it.
type approvalRule struct {
	Name      string   `yaml:"name"`
	From      string   `yaml:"from"`
	To        string   `yaml:"to"`
	Protocol  string   `yaml:"protocol"`
	Ports     []uint16 `yaml:"ports,omitempty,flow"`
	Initiator string   `yaml:"initiator,omitempty"`
	Expires   string   `yaml:"expires"`
	Owner     string   `yaml:"owner"`
	Ticket    string   `yaml:"ticket"`
}

// ApprovalsYAML gives the approvals as rules to review and paste under `allow:` of the
// inventory file, each after a comment that says why. The file knows whole days: a rule
// holds until the end of the day, by UTC, on which the approval expires. Rules of the
// file that are named like one of the approvals are left out: they are pasted already.
func ApprovalsYAML(v *Inventory, approvals []Approval) string {
	pasted := map[string]bool{}
	for i := range v.Allow {
		pasted[v.Allow[i].Name] = true
	}
	var s strings.Builder
	s.WriteString("# Approvals in force, as rules. Review them, paste them under `allow:` of the inventory file, then end the approvals.\n")
	for i := range approvals {
		a := &approvals[i]
		r := a.rule(v)
		if pasted[r.Name] {
			continue
		}
		doc := approvalRule{
			Name: r.Name, From: r.From[0].String(), To: r.To[0].String(), Protocol: protocolText(a.Protocol),
			Expires: a.Expires.UTC().Format(time.DateOnly), Owner: a.Owner, Ticket: a.Ticket,
		}
		if a.Port != 0 {
			doc.Ports = []uint16{a.Port}
		}
		if a.EitherInitiates {
			doc.Initiator = "either"
		}
		text, err := yaml.MarshalWithOptions([]approvalRule{doc}, yaml.IndentSequence(true))
		if err != nil {
			panic(err) // texts and numbers
		}
		fmt.Fprintf(&s, "\n  # %s\n%s", oneLine(a.Reason), text)
	}
	return s.String()
}

// protocolText writes a protocol as the file has it.
func protocolText(number uint8) string {
	name := flow.ProtocolName(number)
	if again, err := flow.ParseProtocol(name); err == nil && again == number {
		return name
	}
	return strconv.Itoa(int(number))
}

// oneLine makes a text fit for a comment.
func oneLine(text string) string {
	return strings.Join(strings.FieldsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f || r == 0x85 || r == 0x2028 || r == 0x2029 }), " ")
}
