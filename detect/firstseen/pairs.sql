-- In which hours who established something with whom, for which service.
SELECT hour AS at, asset, peer_addr, protocol, port, asset_serves
FROM pair_hours
WHERE hour >= toDateTime({since:DateTime64(3)}, 'UTC') AND hour < toDateTime({end:DateTime64(3)}, 'UTC')
    AND established > 0
GROUP BY at, asset, peer_addr, protocol, port, asset_serves
ORDER BY at
