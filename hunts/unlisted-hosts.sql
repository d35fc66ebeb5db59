-- title: Addresses of protected zones that the inventory does not list
-- finds: Addresses within a protected zone that send and are no asset; those of lawful-intercept zones first.
-- technique: T1200 Hardware Additions
-- technique: T1036 Masquerading
-- param: since Time = 7d; from when on
-- param: until Time = 0s; up to when
-- param: limit Number = 200; rows at most

WITH
a -> replaceRegexpOne(toString(a), '^::ffff:([0-9.]+)$', '\\1') AS text,
n -> transform(n, [1, 4, 6, 17, 41, 47, 50, 51, 58, 115, 132],
    ['icmp', 'ipip', 'tcp', 'udp', 'ip6in4', 'gre', 'esp', 'ah', 'icmpv6', 'l2tp', 'sctp'], toString(n)) AS name_of
SELECT
    text(src_addr) AS address,
    any(f.src_zone) AS zone,
    any(f.src_zone_kind) AS zone_kind,
    uniqExact(f.dst_addr) AS peers,
    arraySlice(arraySort(groupUniqArray(concat(if(f.dst_asset = '', text(f.dst_addr), f.dst_asset), ' ', name_of(f.protocol), '/',
        toString(if(f.src_port >= f.dst_port, f.dst_port, f.src_port))))), 1, 10) AS talks_with,
    count() AS records,
    min(f.received_at) AS first_seen,
    max(f.received_at) AS last_seen,
    arraySort(groupUniqArray(text(f.exporter))) AS seen_by
FROM watched_flows AS f
WHERE received_at >= {since:DateTime64(3, 'UTC')} AND received_at < {until:DateTime64(3, 'UTC')}
    AND src_zone != '' AND src_asset = ''
    -- The zones that the inventory does not protect are full of addresses that are no asset.
    AND src_zone_kind IN ('lawful-intercept', 'core', 'management', 'infrastructure')
    -- A reset is what a firewall answers in the name of an address that nobody has.
    AND bitAnd(tcp_flags, 4) = 0
GROUP BY src_addr
ORDER BY zone_kind = 'lawful-intercept' DESC, records DESC
LIMIT {limit:UInt64}
