-- How many pairs of each zone were seen in a day, how many of them by sampling routers
-- alone, and by which. Of two protected systems the one that was asked is the asset.
SELECT
    zone, uniqExact(pair) AS pairs, uniqExactIf(pair, least > 1) AS sampled,
    arraySort(groupUniqArrayArrayIf(10)(seen_by, least > 1)) AS routers
FROM
(
    SELECT
        if(initiator = 'asset' AND peer_zone_kind IN ('lawful-intercept', 'core', 'management', 'infrastructure')
            AND (asset_zone_kind != 'lawful-intercept' OR peer_zone_kind = 'lawful-intercept'), peer_zone, asset_zone) AS zone,
        (asset_addr, peer_addr, protocol, port) AS pair, min(least_sampling) AS least,
        arrayMap(a -> toString(a), groupUniqArrayArray(sighting_exporters)) AS seen_by
    FROM sessions
    WHERE pane >= toDateTime({since:DateTime64(3)}, 'UTC') AND pane < toDateTime({end:DateTime64(3)}, 'UTC')
    GROUP BY zone, pair
)
GROUP BY zone
ORDER BY zone
