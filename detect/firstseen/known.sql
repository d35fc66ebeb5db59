-- With whom the peers had established something before the window, for which service.
SELECT asset, peer_addr, protocol, port, asset_serves
FROM pair_hours
WHERE hour >= toDateTime({since:DateTime64(3)}, 'UTC') AND hour < toDateTime({end:DateTime64(3)}, 'UTC')
    AND peer_addr GLOBAL IN (SELECT toIPv6(arrayJoin({peers:Array(String)})))
    AND established > 0
GROUP BY asset, peer_addr, protocol, port, asset_serves
