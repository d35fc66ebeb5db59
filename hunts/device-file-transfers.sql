-- title: Files that routers send or fetch
-- finds: TFTP and FTP of network devices with any peer, and how much the device sent; peers outside the carrier first.
-- technique: T1602.002 Network Device Configuration Dump
-- technique: T1048.003 Exfiltration Over Unencrypted Non-C2 Protocol
-- param: since Time = 30d; from when on
-- param: until Time = 0s; up to when
-- param: limit Number = 200; rows at most

WITH
a -> replaceRegexpOne(toString(a), '^::ffff:([0-9.]+)$', '\\1') AS text,
(20, 21, 69, 989, 990) AS transfer_ports,
-- TFTP moves its data between two ports of which neither is 69, FTP in passive mode too:
-- who asked for a transfer with whom, and then all that these two exchanged in the hour.
asked AS
(
    SELECT DISTINCT
        least(src_addr, dst_addr) AS one, greatest(src_addr, dst_addr) AS other, toStartOfHour(if(toYear(start_at) > 1970, start_at, received_at)) AS hour
    FROM watched_flows
    WHERE received_at >= {since:DateTime64(3, 'UTC')} AND received_at < {until:DateTime64(3, 'UTC')}
        AND (src_zone_kind = 'infrastructure' OR dst_zone_kind = 'infrastructure')
        AND ((protocol = 17 AND (src_port = 69 OR dst_port = 69))
            OR (protocol = 6 AND (src_port IN transfer_ports OR dst_port IN transfer_ports)
                AND (protocol != 6 OR bitAnd(tcp_flags, 24) = 24 OR (bitAnd(tcp_flags, 4) = 0 AND bytes > packets * 90))))
),
seen AS
(
    SELECT
        outward,
        if(outward, src_addr, dst_addr) AS device_addr, if(outward, dst_addr, src_addr) AS peer_addr,
        toStartOfHour(if(toYear(start_at) > 1970, start_at, received_at)) AS hour,
        exporter, direction,
        any(if(outward, src_asset, dst_asset)) AS device_name, any(if(outward, dst_asset, src_asset)) AS peer_name,
        any(if(outward, dst_zone, src_zone)) AS zone, any(if(outward, dst_country, src_country)) AS country,
        any(if(outward, dst_as_org, src_as_org)) AS organisation,
        groupUniqArray(least(src_port, dst_port)) AS ports,
        min(received_at) AS first_seen, max(received_at) AS last_seen,
        max(if(sampling_interval = 0, 4294967295, sampling_interval)) AS sampling, sum(bytes * greatest(sampling_interval, 1)) AS estimate
    FROM watched_flows
    ARRAY JOIN [true, false] AS outward
    WHERE received_at >= {since:DateTime64(3, 'UTC')} AND received_at < {until:DateTime64(3, 'UTC')}
        AND if(outward, src_zone_kind, dst_zone_kind) = 'infrastructure'
        AND (least(src_addr, dst_addr), greatest(src_addr, dst_addr), toStartOfHour(if(toYear(start_at) > 1970, start_at, received_at))) GLOBAL IN asked
        AND (protocol = 17 OR src_port IN transfer_ports OR dst_port IN transfer_ports OR (src_port >= 1024 AND dst_port >= 1024))
        AND src_port NOT IN (161, 162, 123, 514) AND dst_port NOT IN (161, 162, 123, 514)
    GROUP BY outward, device_addr, peer_addr, hour, exporter, direction
),
-- Several routers see the same packets. In each hour of the flows' own time the one that
-- samples least counts, and of equals the one that saw most.
once AS
(
    SELECT
        outward, device_addr, peer_addr, hour, any(device_name) AS device_name, any(peer_name) AS peer_name, any(zone) AS zone,
        any(country) AS country, any(organisation) AS organisation, groupUniqArrayArray(ports) AS ports,
        min(first_seen) AS first_seen, max(last_seen) AS last_seen, argMax(estimate, (-toInt64(sampling), estimate)) AS amount
    FROM seen
    GROUP BY outward, device_addr, peer_addr, hour
)
SELECT
    if(any(o.device_name) = '', text(device_addr), any(o.device_name)) AS device,
    text(peer_addr) AS peer, any(o.peer_name) AS peer_asset, any(o.zone) AS peer_zone,
    any(o.country) AS country, any(o.organisation) AS organisation,
    arraySlice(arraySort(groupUniqArrayArray(o.ports)), 1, 10) AS ports,
    sumIf(o.amount, o.outward) AS bytes_out, sumIf(o.amount, NOT o.outward) AS bytes_in,
    min(o.first_seen) AS first_seen, max(o.last_seen) AS last_seen
FROM once AS o
GROUP BY device_addr, peer_addr
-- A lone packet that nobody answered is a scan for open TFTP servers.
ORDER BY peer_zone = '' AND bytes_out > 0 DESC, bytes_out + bytes_in DESC
LIMIT {limit:UInt64}
