-- In which hours each zone has history, at either end.
SELECT hour AS at, arrayJoin([asset_zone, peer_zone])::String AS zone
FROM pair_hours
WHERE hour >= toDateTime({since:DateTime64(3)}, 'UTC') AND hour < toDateTime({end:DateTime64(3)}, 'UTC')
GROUP BY at, zone
ORDER BY at
