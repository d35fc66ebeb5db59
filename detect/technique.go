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

// Of the detectors about devices: policy, service, aaa, transfer, tunnel.
var (
	ExploitPublicFacing         = technique("T1190", "Exploit Public-Facing Application", "Initial Access")
	RemoteServicesSSH           = technique("T1021.004", "Remote Services: SSH", "Lateral Movement")
	NonStandardPort             = technique("T1571", "Non-Standard Port", "Command and Control")
	SystemProcess               = technique("T1543", "Create or Modify System Process", "Persistence")
	NetworkDeviceAuthentication = technique("T1556.004", "Modify Authentication Process: Network Device Authentication", "Credential Access")
	ConfigurationDump           = technique("T1602.002", "Data from Configuration Repository: Network Device Configuration Dump", "Collection")
	ExfiltrationUnencrypted     = technique("T1048.003", "Exfiltration Over Alternative Protocol: Exfiltration Over Unencrypted Non-C2 Protocol", "Exfiltration")
	IngressToolTransfer         = technique("T1105", "Ingress Tool Transfer", "Command and Control")
)

// Of the detectors about who is new: firstseen, offhours, scan.
var (
	SNMPDump            = technique("T1602.001", "Data from Configuration Repository: SNMP (MIB Dump)", "Collection")
	TrustedRelationship = technique("T1199", "Trusted Relationship", "Initial Access")
)

// Of the detectors about channels between two ends: beacon, longsession, relay, mirror.
var (
	WebProtocols       = technique("T1071.001", "Application Layer Protocol: Web Protocols", "Command and Control")
	DNS                = technique("T1071.004", "Application Layer Protocol: DNS", "Command and Control")
	EncryptedChannel   = technique("T1573", "Encrypted Channel", "Command and Control")
	RemoteAccessTools  = technique("T1219", "Remote Access Tools", "Command and Control")
	MultiHopProxy      = technique("T1090.003", "Proxy: Multi-hop Proxy", "Command and Control")
	TrafficDuplication = technique("T1020.001", "Automated Exfiltration: Traffic Duplication", "Exfiltration")
	NetworkSniffing    = technique("T1040", "Network Sniffing", "Credential Access")
)

// Of the detectors about volumes: volume, slowleak, staging.
var (
	DataTransferSizeLimits  = technique("T1030", "Data Transfer Size Limits", "Exfiltration")
	ScheduledTransfer       = technique("T1029", "Scheduled Transfer", "Exfiltration")
	RemoteDataStaging       = technique("T1074.002", "Data Staged: Remote Data Staging", "Collection")
	DataFromInformationRepo = technique("T1213", "Data from Information Repositories", "Collection")
)

// NetworkBoundaryBridging is of the detector geo.
var NetworkBoundaryBridging = technique("T1599", "Network Boundary Bridging", "Defense Impairment")

func technique(id, name, tactic string) alert.Technique {
	return alert.Technique{ID: id, Name: name, Tactic: tactic, Matrix: matrix}
}
