-- title: Who talks most
-- finds: The addresses that sent most, with their largest receiver; bytes and packets are estimates.
-- technique: T1048 Exfiltration Over Alternative Protocol
-- technique: T1498 Network Denial of Service
-- param: zone String = ; only senders of this zone; empty any
-- param: since Time = 1h; from when on
-- param: until Time = 0s; up to when
-- param: limit Number = 50; rows at most

WITH
a -> replaceRegexpOne(toString(a), '^::ffff:([0-9.]+)$', '\\1') AS text,
seen AS
(
    SELECT
        src_addr, dst_addr, toStartOfHour(if(toYear(start_at) > 1970, start_at, received_at)) AS hour, exporter, direction,
        any(src_asset) AS name, any(src_zone) AS zone, any(src_country) AS country, any(src_as_org) AS organisation,
        sum(packets * greatest(sampling_interval, 1)) AS packet_estimate,
        max(if(sampling_interval = 0, 4294967295, sampling_interval)) AS sampling, sum(bytes * greatest(sampling_interval, 1)) AS estimate
    FROM flows
    WHERE received_at >= {since:DateTime64(3, 'UTC')} AND received_at < {until:DateTime64(3, 'UTC')}
        AND ({zone:String} = '' OR src_zone = {zone:String})
    GROUP BY src_addr, dst_addr, hour, exporter, direction
),
-- Several routers see the same packets. In each hour of the flows' own time the one that
-- samples least counts, and of equals the one that saw most.
once AS
(
    SELECT
        src_addr, dst_addr, hour, any(name) AS name, any(zone) AS zone, any(country) AS country, any(organisation) AS organisation,
        argMax((estimate, packet_estimate), (-toInt64(sampling), estimate)) AS amount
    FROM seen
    GROUP BY src_addr, dst_addr, hour
)
SELECT
    text(src_addr) AS sender, any(o.name) AS asset, any(o.zone) AS zone, any(o.country) AS country, any(o.organisation) AS organisation,
    sum(o.amount.1) AS bytes_estimate, sum(o.amount.2) AS packets_estimate,
    uniqExact(o.dst_addr) AS receivers, text(argMax(o.dst_addr, o.amount.1)) AS largest_receiver
FROM once AS o
GROUP BY src_addr
ORDER BY bytes_estimate DESC
LIMIT {limit:UInt64}
