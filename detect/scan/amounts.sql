-- What the sources sent and got in the last hour, by router.
SELECT
    if(initiator = 'peer', peer_addr, asset_addr) AS source,
    replaceRegexpOne(toString(x.1), '^::ffff:(.*[.])', '\\1') AS router,
    max(x.3) AS sampling,
    sum(x.4) AS flows,
    sumIf(x.5, x.2 = (initiator = 'peer')) AS bytes_sent,
    sumIf(x.5, x.2 != (initiator = 'peer')) AS bytes_back,
    sum(x.6) AS packets,
    max(last_seen) AS last
FROM sessions
ARRAY JOIN arrayZip(sighting_exporters, sighting_to_asset, sighting_sampling, sighting_flows, sighting_bytes, sighting_packets) AS x
WHERE pane >= toDateTime({since:DateTime64(3)}, 'UTC') AND pane < toDateTime({end:DateTime64(3)}, 'UTC')
    AND ((initiator = 'peer' AND has(arrayMap(a -> toIPv6(a), {sources:Array(String)}), peer_addr))
        OR (initiator = 'asset' AND has(arrayMap(a -> toIPv6(a), {sources:Array(String)}), asset_addr)))
GROUP BY source, router
ORDER BY source, router
