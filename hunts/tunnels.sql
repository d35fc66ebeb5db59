-- title: Tunnels of protected systems, by endpoint
-- finds: GRE, IP in IP, IPsec, L2TP, VXLAN and GENEVE with a protected end, and what sampled headers show to be a tunnel; those out of the carrier first.
-- technique: T1572 Protocol Tunneling
-- technique: T1095 Non-Application Layer Protocol
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
        src_addr, dst_addr,
        multiIf(
            protocol IN (4, 41, 47, 50, 51, 115), name_of(protocol),
            protocol = 17 AND (src_port IN (500, 4500) OR dst_port IN (500, 4500)), 'ike',
            protocol = 17 AND (src_port = 1701 OR dst_port = 1701), 'l2tp',
            protocol = 17 AND dst_port = 4789, 'vxlan',
            protocol = 17 AND dst_port = 6081, 'geneve',
            toString(tunnel)) AS kind,
        toStartOfHour(if(toYear(start_at) > 1970, start_at, received_at)) AS hour,
        exporter, direction,
        any(src_asset) AS from_asset, any(dst_asset) AS to_asset,
        any(src_zone) AS from_zone, any(dst_zone) AS to_zone,
        any(if(src_zone = '', src_country, dst_country)) AS country,
        any(if(src_zone = '', src_as_org, dst_as_org)) AS organisation,
        anyIf(inner_src_addr, tunnel != 'none') AS inner_from, anyIf(inner_dst_addr, tunnel != 'none') AS inner_to,
        min(received_at) AS first_seen, max(received_at) AS last_seen,
        max(if(sampling_interval = 0, 4294967295, sampling_interval)) AS sampling, sum(bytes * greatest(sampling_interval, 1)) AS estimate
    FROM watched_flows
    WHERE received_at >= {since:DateTime64(3, 'UTC')} AND received_at < {until:DateTime64(3, 'UTC')}
        AND (protocol IN (4, 41, 47, 50, 51, 115)
            OR (protocol = 17 AND (dst_port IN (500, 4500, 1701, 4789, 6081) OR src_port IN (500, 4500, 1701)))
            -- GTP-U is what the user plane of a mobile core is made of.
            OR tunnel NOT IN ('none', 'gtpu'))
    GROUP BY ALL
),
-- Several routers see the same packets. In each hour of the flows' own time the one that
-- samples least counts, and of equals the one that saw most.
once AS
(
    SELECT
        src_addr, dst_addr, kind, hour, any(from_asset) AS from_asset, any(to_asset) AS to_asset,
        any(from_zone) AS from_zone, any(to_zone) AS to_zone, any(country) AS country, any(organisation) AS organisation,
        max(inner_from) AS inner_from, max(inner_to) AS inner_to,
        min(first_seen) AS first_seen, max(last_seen) AS last_seen, argMax(estimate, (-toInt64(sampling), estimate)) AS amount
    FROM seen
    GROUP BY src_addr, dst_addr, kind, hour
)
SELECT
    text(src_addr) AS source, any(o.from_asset) AS source_asset, any(o.from_zone) AS source_zone,
    text(dst_addr) AS destination, any(o.to_asset) AS destination_asset, any(o.to_zone) AS destination_zone,
    kind AS tunnel, any(o.country) AS country, any(o.organisation) AS organisation,
    -- What a sampled header showed inside; :: nothing.
    text(max(o.inner_from)) AS inner_source, text(max(o.inner_to)) AS inner_destination,
    sum(o.amount) AS bytes_estimate, min(o.first_seen) AS first_seen, max(o.last_seen) AS last_seen
FROM once AS o
GROUP BY src_addr, dst_addr, kind
-- A tunnel that one of ours sends is more than a stray packet from the internet.
ORDER BY source_zone != '' AND destination_zone = '' DESC, source_zone != '' DESC, bytes_estimate DESC
LIMIT {limit:UInt64}
