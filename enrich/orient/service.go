package orient

// knownServices are ports that servers listen on, for TCP, UDP and SCTP alike: what
// carriers' routers, core and lawful-intercept systems use (IANA service names and
// port numbers; the vendors' documents where IANA has none). Any port below 1024
// counts as a service's; those in the table win over the others, because some
// clients take a reserved port as their own (rsh, NFS, old routers' ssh).
var knownServices = [...]uint16{
	20, 21, 22, 23, 25, 49, 53, 69, 80, 88, 123, 161, 162, 179, 389, 443, 445, 514, 636, 830, // the usual
	1194, 1701, 1723, 4500, // OpenVPN, L2TP, PPTP, IPsec NAT traversal
	1433, 1521, 3306, 5432, 6379, 9200, 27017, // databases
	1645, 1646, 1812, 1813, 2083, 3799, // RADIUS, RadSec, change of authorization
	2055, 2056, 4739, 4740, 6343, 9995, 9996, 11019, // flow exports, BMP
	2123, 2152, 3386, 8805, // GTP-C, GTP-U, GTP', PFCP
	2905, 3565, 14001, 36412, 36422, 38412, 38422, // M3UA, M2PA, SUA, S1AP, X2AP, NGAP, XnAP
	2944, 3868, 5060, 5061, 5868, // H.248, Diameter, SIP
	3128, 8000, 8008, 8080, 8081, 8443, 8888, // HTTP
	3389, 5900, 5901, 5985, 5986, // remote desktops and management
	3784, 4784, 4789, 6081, // BFD, VXLAN, GENEVE
	4334, 6513, 9339, 10161, 10162, 57400, // NETCONF, gNMI, SNMP over TLS
	4786,  // Smart Install
	57722, // IOS XR's sshd_operns
	6514,  // syslog over TLS
}
