-- Since when each protected zone has been watched, and how many of its systems were seen.
SELECT p.asset_zone AS zone, min(p.first_seen) AS since, uniqExact(p.asset) AS hosts
FROM asset_peers AS p
WHERE p.talked AND p.first_seen < {end:DateTime64(3)}
GROUP BY zone
ORDER BY zone
