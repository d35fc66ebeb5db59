-- When each exporter was last heard before the window's end.
SELECT
    exporter,
    max(activity.last_received_at) AS last
FROM exporter_activity AS activity
WHERE at >= {since:DateTime64(3)} AND at < {end:DateTime64(3)}
GROUP BY exporter
ORDER BY exporter
