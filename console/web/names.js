// Names of IP protocols and service ports by IANA, and of the ports that matter on
// carrier equipment.

const protocols = {
  1: 'ICMP', 2: 'IGMP', 4: 'IP-in-IP', 6: 'TCP', 17: 'UDP', 41: 'IPv6-in-IP', 46: 'RSVP', 47: 'GRE', 50: 'ESP', 51: 'AH',
  58: 'ICMPv6', 88: 'EIGRP', 89: 'OSPF', 103: 'PIM', 112: 'VRRP', 115: 'L2TP', 132: 'SCTP', 137: 'MPLS-in-IP',
}

const services = {
  20: 'FTP data', 21: 'FTP', 22: 'SSH', 23: 'Telnet', 25: 'SMTP', 49: 'TACACS+', 53: 'DNS', 67: 'DHCP', 69: 'TFTP', 80: 'HTTP',
  88: 'Kerberos', 110: 'POP3', 111: 'RPC', 123: 'NTP', 135: 'MS RPC', 137: 'NetBIOS', 139: 'NetBIOS', 143: 'IMAP', 161: 'SNMP',
  162: 'SNMP trap', 179: 'BGP', 389: 'LDAP', 443: 'HTTPS', 445: 'SMB', 500: 'IKE', 514: 'syslog', 587: 'SMTP submission',
  636: 'LDAPS', 646: 'LDP', 830: 'NETCONF', 853: 'DNS over TLS', 873: 'rsync', 990: 'FTPS', 993: 'IMAPS', 1080: 'SOCKS', 1194: 'OpenVPN',
  1433: 'MS SQL', 1521: 'Oracle', 1645: 'RADIUS', 1646: 'RADIUS accounting', 1701: 'L2TP', 1723: 'PPTP', 1812: 'RADIUS',
  1813: 'RADIUS accounting', 2049: 'NFS', 2055: 'NetFlow', 2083: 'RadSec', 2123: 'GTP-C', 2152: 'GTP-U', 2905: 'M3UA', 3128: 'proxy',
  3306: 'MySQL', 3389: 'RDP', 3784: 'BFD', 3868: 'Diameter', 4500: 'IPsec NAT-T', 4739: 'IPFIX', 4786: 'Cisco Smart Install',
  4789: 'VXLAN', 5060: 'SIP', 5061: 'SIPS', 5432: 'PostgreSQL', 5900: 'VNC', 5985: 'WinRM', 5986: 'WinRM', 6343: 'sFlow', 6379: 'Redis',
  6513: 'NETCONF over TLS', 6514: 'syslog over TLS', 8080: 'HTTP', 8443: 'HTTPS', 8805: 'PFCP', 9339: 'gNMI', 9200: 'Elasticsearch',
  10161: 'SNMP over TLS', 51820: 'WireGuard', 57400: 'gNMI', 57722: 'IOS XR sshd_operns', 57777: 'IOS XR gRPC',
}

export const protocolName = (number) => protocols[number] ?? `protocol ${number}`

// serviceName is the name of a port, empty if it has none here.
export const serviceName = (port) => services[port] ?? ''
