package policy

import (
	"slices"

	"tapwatch/alert"
	"tapwatch/detect"
	"tapwatch/flow"
)

// techniques are what the conversation may be a sign of.
func techniques(c *detect.Conversation) []alert.Technique {
	outside := c.PeerZone == ""
	tunnels := []uint8{flow.ProtocolIPIP, flow.ProtocolIPv6, flow.ProtocolGRE, flow.ProtocolESP, flow.ProtocolAH, flow.ProtocolL2TP}
	switch {
	case slices.Contains(tunnels, c.Protocol):
		return []alert.Technique{detect.ProtocolTunneling, detect.NonApplicationLayerProtocol}
	case c.Initiator == "asset" && outside:
		return []alert.Technique{detect.ApplicationLayerProtocol, detect.ExfiltrationOverAlternativeProtocol}
	case c.Initiator == "asset":
		return []alert.Technique{detect.RemoteServices, detect.ValidAccounts}
	case outside:
		return []alert.Technique{detect.ValidAccounts, detect.ExternalRemoteServices}
	default:
		return []alert.Technique{detect.ValidAccounts, detect.RemoteServices}
	}
}
