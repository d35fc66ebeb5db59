-- title: An indicator in the history
-- finds: Every conversation of protected systems with an address or prefix, day by day, as far back as conversations are kept; bytes are estimates.
-- technique: T1071 Application Layer Protocol
-- technique: T1583.003 Virtual Private Server
-- param: prefix Prefix; the indicator: an address or a prefix
-- param: since Time = 365d; from when on
-- param: until Time = 0s; up to when
-- param: limit Number = 1000; rows at most

WITH
a -> replaceRegexpOne(toString(a), '^::ffff:([0-9.]+)$', '\\1') AS text,
n -> transform(n, [1, 4, 6, 17, 41, 47, 50, 51, 58, 115, 132],
    ['icmp', 'ipip', 'tcp', 'udp', 'ip6in4', 'gre', 'esp', 'ah', 'icmpv6', 'l2tp', 'sctp'], toString(n)) AS name_of,
splitByChar('/', {prefix:String}) AS typed,
-- Addresses are stored as IPv6; the bits of an IPv4 prefix count from the 97th.
IPv6CIDRToRange(toIPv6(typed[1]), toUInt8(toUInt8(typed[2]) + if(isIPv4String(typed[1]), 96, 0))) AS bounds,
-- An indicator is a peer's address, or one of ours that somebody else reports.
seen AS
(
    SELECT
        peer_addr BETWEEN bounds.1 AND bounds.2 AS from_peer,
        if(from_peer, peer_addr, asset_addr) AS indicator_addr,
        if(from_peer, asset_addr, peer_addr) AS own_addr,
        if(from_peer, asset, peer_asset) AS own_name,
        if(from_peer, asset_zone, peer_zone) AS own_zone,
        protocol, port, to_asset = from_peer AS from_indicator,
        (protocol != 6 OR bitAnd(tcp_flags, 24) = 24 OR (bitAnd(tcp_flags, 4) = 0 AND bytes > packets * 90)) AND (protocol = 6 OR NOT from_indicator) AS talk,
        toDate(at) AS day, bytes, first_seen, last_seen
    FROM conversations_by_hour
    WHERE at >= toStartOfHour({since:DateTime64(3, 'UTC')}) AND at < {until:DateTime64(3, 'UTC')}
        AND (peer_addr BETWEEN bounds.1 AND bounds.2 OR asset_addr BETWEEN bounds.1 AND bounds.2)
)
SELECT
    day,
    text(indicator_addr) AS indicator,
    text(own_addr) AS address, any(s.own_name) AS asset, any(s.own_zone) AS zone,
    name_of(protocol) AS protocol_name, port,
    toBool(max(s.talk)) AS talked,
    sumIf(s.bytes, NOT s.from_indicator) AS bytes_to_indicator, sumIf(s.bytes, s.from_indicator) AS bytes_from_indicator,
    min(s.first_seen) AS first_seen, max(s.last_seen) AS last_seen
FROM seen AS s
GROUP BY day, indicator_addr, own_addr, protocol, port
ORDER BY talked DESC, first_seen
LIMIT {limit:UInt64}
