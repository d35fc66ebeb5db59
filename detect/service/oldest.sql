-- Since when the history knows each zone.
--
-- start, end    hours, half-open
SELECT
    asset_zone::String AS zone,
    min(hour) AS first
FROM pair_hours
WHERE hour >= {start:DateTime64(3)} AND hour < {end:DateTime64(3)} AND asset_zone != ''
GROUP BY zone
ORDER BY zone
