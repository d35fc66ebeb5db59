-- How many flows of protected systems each of some exporters reported before it was
-- heard last; none, no row. The parameters are those of neighbours.sql.
WITH quiet AS
(
    SELECT toIPv6(x.1) AS router, x.2 AS last
    FROM (SELECT arrayJoin(arrayZip({routers:Array(String)}, {lasts:Array(Int64)})) AS x)
)
SELECT quiet.router AS router, count() AS flows
FROM watched_flows AS watched
INNER JOIN quiet ON watched.exporter = quiet.router
WHERE watched.received_at >= {since:DateTime64(3)} AND watched.received_at <= {until:DateTime64(3)}
    AND toUnixTimestamp64Milli(watched.received_at) BETWEEN quiet.last - {hour:Int64} AND quiet.last
GROUP BY router
