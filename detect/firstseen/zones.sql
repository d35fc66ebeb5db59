-- Since when each zone has history, at either end.
SELECT arrayJoin([asset_zone, peer_zone]) AS zone, min(hour) AS begin
FROM pair_hours
WHERE hour >= toDateTime({since:DateTime64(3)}, 'UTC') AND hour < toDateTime({end:DateTime64(3)}, 'UTC')
GROUP BY zone
