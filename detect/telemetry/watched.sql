-- How many flows of protected systems each of some exporters reported before it was
-- heard last; none, no row. The parameters are those of rhythm.sql.
WITH quiet AS
(
    SELECT toIPv6(x.1) AS exporter, x.2 AS last
    FROM (SELECT arrayJoin(arrayZip({exporters:Array(String)}, {lasts:Array(Int64)})) AS x)
)
SELECT watched.exporter AS exporter, count() AS flows
FROM watched_flows AS watched
INNER JOIN quiet ON watched.exporter = quiet.exporter
WHERE watched.received_at >= {since:DateTime64(3)} AND watched.received_at <= {until:DateTime64(3)}
    AND toUnixTimestamp64Milli(watched.received_at) BETWEEN quiet.last - {history:Int64} AND quiet.last
GROUP BY exporter
