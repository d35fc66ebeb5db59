-- title: Where an address was seen
-- finds: Which routers saw an address at which of their interfaces, in which direction and when: where it enters and leaves the network.
-- technique: T1090 Proxy
-- technique: T1599 Network Boundary Bridging
-- param: address Address; the address
-- param: since Time = 24h; from when on
-- param: until Time = 0s; up to when
-- param: limit Number = 200; rows at most

WITH
a -> replaceRegexpOne(toString(a), '^::ffff:([0-9.]+)$', '\\1') AS text
SELECT
    text(exporter) AS router,
    if(src_addr = {address:IPv6}, 'source', 'destination') AS seen_as,
    in_if,
    out_if,
    min(received_at) AS first_seen,
    max(received_at) AS last_seen,
    count() AS records,
    sum(bytes * greatest(sampling_interval, 1)) AS bytes_estimate,
    uniqExact(if(src_addr = {address:IPv6}, dst_addr, src_addr)) AS peers,
    text(topK(1)(if(src_addr = {address:IPv6}, dst_addr, src_addr))[1]) AS main_peer,
    any(if(src_addr = {address:IPv6}, src_zone, dst_zone)) AS zone,
    any(if(src_addr = {address:IPv6}, src_asset, dst_asset)) AS asset
FROM flows
WHERE received_at >= {since:DateTime64(3, 'UTC')} AND received_at < {until:DateTime64(3, 'UTC')}
    AND (src_addr = {address:IPv6} OR dst_addr = {address:IPv6})
GROUP BY exporter, seen_as, in_if, out_if
ORDER BY first_seen, router
LIMIT {limit:UInt64}
