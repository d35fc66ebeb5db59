package flow_test

import (
	"testing"

	"tapwatch/flow"
)

func TestProtocolNamesRoundTrip(t *testing.T) {
	for number := range 256 {
		name := flow.ProtocolName(uint8(number))
		if got, err := flow.ParseProtocol(name); err != nil || got != uint8(number) {
			t.Errorf("%d is named %q, which parses as %d, %v", number, name, got, err)
		}
	}
}

func TestParseProtocol(t *testing.T) {
	for text, want := range map[string]uint8{"tcp": 6, "UDP": 17, "icmpv6": 58, "gre": 47, "200": 200, "0": 0, "ipip": 4, "sctp": 132, "ospf": 89, "ah": 51, "esp": 50} {
		if got, err := flow.ParseProtocol(text); err != nil || got != want {
			t.Errorf("%q: %d, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "256", "-1", "any", "tpc", "6.0"} {
		if got, err := flow.ParseProtocol(text); err == nil {
			t.Errorf("%q: %d", text, got)
		}
	}
}

func TestHasPorts(t *testing.T) {
	for number := range 256 {
		want := map[int]bool{6: true, 17: true, 33: true, 132: true, 136: true}[number]
		if flow.HasPorts(uint8(number)) != want {
			t.Errorf("protocol %d: %v", number, !want)
		}
	}
}
