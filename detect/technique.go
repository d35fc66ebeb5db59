package detect

import "tapwatch/alert"

// matrix is the version of MITRE ATT&CK for Enterprise that numbers the techniques
// below. Numbers change: v19 split the tactic Defense Evasion into Stealth and
// Defense Impairment and moved T1562.006, Indicator Blocking, into T1685.
const matrix = "v19"

// The techniques of MITRE ATT&CK that detectors name, each under the tactic that
// fits what flows can show of it.
var (
	ValidAccounts                       = technique("T1078", "Valid Accounts", "Initial Access")
	ExternalRemoteServices              = technique("T1133", "External Remote Services", "Initial Access")
	RemoteServices                      = technique("T1021", "Remote Services", "Lateral Movement")
	NetworkServiceDiscovery             = technique("T1046", "Network Service Discovery", "Discovery")
	ActiveScanning                      = technique("T1595", "Active Scanning", "Reconnaissance")
	ApplicationLayerProtocol            = technique("T1071", "Application Layer Protocol", "Command and Control")
	NonApplicationLayerProtocol         = technique("T1095", "Non-Application Layer Protocol", "Command and Control")
	ProtocolTunneling                   = technique("T1572", "Protocol Tunneling", "Command and Control")
	VirtualPrivateServer                = technique("T1583.003", "Acquire Infrastructure: Virtual Private Server", "Resource Development")
	ExfiltrationOverC2                  = technique("T1041", "Exfiltration Over C2 Channel", "Exfiltration")
	ExfiltrationOverAlternativeProtocol = technique("T1048", "Exfiltration Over Alternative Protocol", "Exfiltration")
	DisableOrModifyTools                = technique("T1685", "Disable or Modify Tools", "Defense Impairment")
	IndicatorRemoval                    = technique("T1070", "Indicator Removal", "Stealth")
)

func technique(id, name, tactic string) alert.Technique {
	return alert.Technique{ID: id, Name: name, Tactic: tactic, Matrix: matrix}
}
