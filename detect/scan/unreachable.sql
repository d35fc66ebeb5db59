-- Whether the internet cannot reach addr: RFC 1918, 6598, 4193. See unreachable.
(toIPv6('10.0.0.0') <= addr AND addr <= toIPv6('10.255.255.255')
        OR toIPv6('172.16.0.0') <= addr AND addr <= toIPv6('172.31.255.255')
        OR toIPv6('192.168.0.0') <= addr AND addr <= toIPv6('192.168.255.255')
        OR toIPv6('100.64.0.0') <= addr AND addr <= toIPv6('100.127.255.255')
        OR toIPv6('fc00::') <= addr AND addr < toIPv6('fe00::'))
