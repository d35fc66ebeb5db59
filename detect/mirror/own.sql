-- What a system sent over protocols that can carry a copy, minute by minute, to each
-- address, as each router saw it and by which interfaces.
SELECT
    f.dst_addr AS dst, f.protocol AS protocol, f.exporter AS exporter, f.in_if AS in_if, f.out_if AS out_if, toString(f.direction) AS side,
    toUInt32(intDiv(toUnixTimestamp64Milli(f.received_at) - toUnixTimestamp64Milli({start:DateTime64(3)}), 60000)) AS minute,
    sum(f.bytes * greatest(f.sampling_interval, 1)) AS bytes, max(f.sampling_interval) AS sampling
FROM watched_flows AS f
WHERE f.received_at >= {start:DateTime64(3)} AND f.received_at < {end:DateTime64(3)} AND f.src_addr = toIPv6({sender:String})
    AND f.protocol IN (4, 6, 17, 41, 47, 50, 115, 132)
GROUP BY dst, protocol, exporter, in_if, out_if, side, minute
ORDER BY dst, protocol, exporter, in_if, out_if, side, minute
