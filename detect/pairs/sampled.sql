-- Which zones have traffic of the last hour that only sampling routers saw, and which
-- routers those are.
SELECT s.asset_zone AS zone, arrayMap(e -> toString(e), arraySort(groupUniqArrayArray(s.sighting_exporters))) AS exporters
FROM sessions AS s
WHERE s.pane >= {start:DateTime64(3)} AND s.pane < {end:DateTime64(3)} AND s.least_sampling > 1
GROUP BY zone
ORDER BY zone
