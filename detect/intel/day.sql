-- What some protected systems had with listed addresses in a time: for each and each
-- indicator, how much went either way, as the router saw that saw most.
--
-- assets       their names or addresses
-- start, end   the time, half-open, by received_at
SELECT asset, indicator, max(seen_in) AS bytes_in, max(seen_out) AS bytes_out, max(seen_spoke) AS spoke
FROM
(
    SELECT
        f.asset AS asset,
        if(f.asset_end = 'src', if(f.dst_intel != '', f.dst_intel, f.src_intel), if(f.src_intel != '', f.src_intel, f.dst_intel)) AS indicator,
        f.exporter AS exporter,
        f.direction AS direction,
        sumIf(f.bytes * greatest(f.sampling_interval, 1), f.asset_end = 'dst') AS seen_in,
        sumIf(f.bytes * greatest(f.sampling_interval, 1), f.asset_end = 'src') AS seen_out,
        -- It asked, or sent data: a reset or the second packet of a handshake is neither.
        max(f.asset_end = 'src' AND (f.protocol != 6 OR bitAnd(f.tcp_flags, 8) != 0 OR bitAnd(f.tcp_flags, 18) = 2)) AS seen_spoke
    FROM watched_flows AS f
    WHERE f.asset IN {assets:Array(String)} AND f.received_at >= {start:DateTime64(3)} AND f.received_at < {end:DateTime64(3)}
        AND (f.src_intel != '' OR f.dst_intel != '')
    GROUP BY asset, indicator, exporter, direction
)
GROUP BY asset, indicator
