-- title: Streams that nobody answers
-- finds: Tunnels and UDP that a protected system sends out of the carrier with next to nothing coming back, as a mirror port does; largest first.
-- technique: T1020.001 Traffic Duplication
-- technique: T1040 Network Sniffing
-- param: min_bytes Number = 1000000; how much at least
-- param: since Time = 24h; from when on
-- param: until Time = 0s; up to when
-- param: limit Number = 100; rows at most

WITH
a -> replaceRegexpOne(toString(a), '^::ffff:([0-9.]+)$', '\\1') AS text,
n -> transform(n, [1, 4, 6, 17, 41, 47, 50, 51, 58, 115, 132],
    ['icmp', 'ipip', 'tcp', 'udp', 'ip6in4', 'gre', 'esp', 'ah', 'icmpv6', 'l2tp', 'sctp'], toString(n)) AS name_of,
seen AS
(
    SELECT
        src_zone != '' AS outward,
        if(outward, src_addr, dst_addr) AS own_addr, if(outward, dst_addr, src_addr) AS peer_addr,
        protocol, toStartOfHour(if(toYear(start_at) > 1970, start_at, received_at)) AS hour, exporter, direction,
        any(if(outward, src_asset, dst_asset)) AS own_name,
        any(if(outward, dst_country, src_country)) AS country, any(if(outward, dst_as_org, src_as_org)) AS organisation,
        any(if(outward, dst_port, src_port)) AS port,
        min(received_at) AS first_seen, max(received_at) AS last_seen,
        max(if(sampling_interval = 0, 4294967295, sampling_interval)) AS sampling, sum(bytes * greatest(sampling_interval, 1)) AS estimate
    FROM watched_flows
    WHERE received_at >= {since:DateTime64(3, 'UTC')} AND received_at < {until:DateTime64(3, 'UTC')}
        AND (src_zone = '') != (dst_zone = '')
        AND protocol IN (4, 17, 41, 47, 50, 115)
    GROUP BY outward, own_addr, peer_addr, protocol, hour, exporter, direction
),
-- Several routers see the same packets. In each hour of the flows' own time the one that
-- samples least counts, and of equals the one that saw most.
once AS
(
    SELECT
        outward, own_addr, peer_addr, protocol, hour, any(own_name) AS own_name, any(country) AS country, any(organisation) AS organisation, any(port) AS port,
        min(first_seen) AS first_seen, max(last_seen) AS last_seen, argMax(estimate, (-toInt64(sampling), estimate)) AS amount
    FROM seen
    GROUP BY outward, own_addr, peer_addr, protocol, hour
)
SELECT
    if(any(o.own_name) = '', text(own_addr), any(o.own_name)) AS asset,
    text(peer_addr) AS receiver, any(o.country) AS country, any(o.organisation) AS organisation,
    name_of(protocol) AS protocol_name, any(o.port) AS port,
    sumIf(o.amount, o.outward) AS bytes_out, sumIf(o.amount, NOT o.outward) AS bytes_back,
    min(o.first_seen) AS first_seen, max(o.last_seen) AS last_seen
FROM once AS o
GROUP BY own_addr, peer_addr, protocol
HAVING bytes_out >= {min_bytes:UInt64} AND bytes_back * 100 < bytes_out
ORDER BY bytes_out DESC
LIMIT {limit:UInt64}
