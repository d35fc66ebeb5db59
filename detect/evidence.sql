/* {about}. For more, move since back or until on. */
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
    start_at,
    end_at,
    src_zone,
    src_asset,
    src_country,
    src_as_org,
    dst_zone,
    dst_asset,
    dst_country,
    dst_as_org
FROM watched_flows
WHERE received_at >= since AND received_at < until
    AND {which}
ORDER BY received_at, exporter, src_addr
