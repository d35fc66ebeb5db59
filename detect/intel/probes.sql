/* What an entry of an intelligence list and a zone exchanged. For more, move since back or until on. */
WITH
    toDateTime64('{since}', 3, 'UTC') AS since,
    toDateTime64('{until}', 3, 'UTC') AS until
SELECT
    received_at,
    replaceRegexpOne(toString(exporter), '^::ffff:(.*[.])', '\\1') AS router,
    replaceRegexpOne(toString(src_addr), '^::ffff:(.*[.])', '\\1') AS source,
    src_port,
    replaceRegexpOne(toString(dst_addr), '^::ffff:(.*[.])', '\\1') AS destination,
    dst_port,
    protocol,
    tcp_flags,
    packets,
    bytes,
    sampling_interval,
    src_asset,
    dst_asset
FROM watched_flows
WHERE received_at >= since AND received_at < until
    AND ((src_intel = {indicator} AND dst_zone = {zone}) OR (dst_intel = {indicator} AND src_zone = {zone}))
ORDER BY received_at, exporter, src_addr
