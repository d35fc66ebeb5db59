-- title: What network devices open toward the internet
-- finds: Sessions that a router or switch opens to an address outside the carrier, which hardly any needs to; largest first.
-- technique: T1105 Ingress Tool Transfer
-- technique: T1090 Proxy
-- param: since Time = 7d; from when on
-- param: until Time = 0s; up to when
-- param: limit Number = 200; rows at most

WITH
a -> replaceRegexpOne(toString(a), '^::ffff:([0-9.]+)$', '\\1') AS text,
n -> transform(n, [1, 4, 6, 17, 41, 47, 50, 51, 58, 115, 132],
    ['icmp', 'ipip', 'tcp', 'udp', 'ip6in4', 'gre', 'esp', 'ah', 'icmpv6', 'l2tp', 'sctp'], toString(n)) AS name_of,
seen AS
(
    SELECT
        src_zone_kind = 'infrastructure' AS outward,
        if(outward, src_addr, dst_addr) AS device_addr, if(outward, dst_addr, src_addr) AS peer_addr,
        protocol, if(outward, dst_port, src_port) AS port,
        toStartOfHour(if(toYear(start_at) > 1970, start_at, received_at)) AS hour, exporter, direction,
        any(if(outward, src_asset, dst_asset)) AS device_name,
        any(if(outward, dst_country, src_country)) AS country, any(if(outward, dst_as_org, src_as_org)) AS organisation,
        min(received_at) AS first_seen, max(received_at) AS last_seen,
        max(if(sampling_interval = 0, 4294967295, sampling_interval)) AS sampling, sum(bytes * greatest(sampling_interval, 1)) AS estimate
    FROM watched_flows
    WHERE received_at >= {since:DateTime64(3, 'UTC')} AND received_at < {until:DateTime64(3, 'UTC')}
        AND ((src_zone_kind = 'infrastructure' AND dst_zone = '') OR (dst_zone_kind = 'infrastructure' AND src_zone = ''))
        AND protocol IN (6, 17) AND (initiator = 'src' OR (initiator = 'unknown' AND (src_port, src_addr) > (dst_port, dst_addr))) = (src_zone_kind = 'infrastructure')
        -- Over TCP data; over UDP that the device speaks. A refusal of a scan is no session.
        AND (protocol != 6 OR bitAnd(tcp_flags, 24) = 24 OR (bitAnd(tcp_flags, 4) = 0 AND bytes > packets * 90)) AND (protocol = 6 OR src_zone_kind = 'infrastructure')
    GROUP BY outward, device_addr, peer_addr, protocol, port, hour, exporter, direction
),
-- Several routers see the same packets. In each hour of the flows' own time the one that
-- samples least counts, and of equals the one that saw most.
once AS
(
    SELECT
        outward, device_addr, peer_addr, protocol, port, hour, any(device_name) AS device_name, any(country) AS country, any(organisation) AS organisation,
        min(first_seen) AS first_seen, max(last_seen) AS last_seen, argMax(estimate, (-toInt64(sampling), estimate)) AS amount
    FROM seen
    GROUP BY outward, device_addr, peer_addr, protocol, port, hour
)
SELECT
    if(any(o.device_name) = '', text(device_addr), any(o.device_name)) AS device,
    text(peer_addr) AS peer, any(o.country) AS country, any(o.organisation) AS organisation,
    name_of(protocol) AS protocol_name, port,
    sumIf(o.amount, o.outward) AS bytes_out, sumIf(o.amount, NOT o.outward) AS bytes_in,
    min(o.first_seen) AS first_seen, max(o.last_seen) AS last_seen
FROM once AS o
GROUP BY device_addr, peer_addr, protocol, port
ORDER BY bytes_out + bytes_in DESC
LIMIT {limit:UInt64}
