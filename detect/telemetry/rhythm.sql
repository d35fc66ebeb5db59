-- How regularly each of some exporters was heard before it was heard last: in how
-- many ten seconds, and how long at most, but for one in a hundred, between two of
-- them. Those heard in fewer than min_buckets are left out.
--
-- exporters, lasts   the exporters, and when each was heard last (Unix milliseconds)
-- history            how far before that (milliseconds)
-- since, until       the least and the greatest moment of all these
WITH quiet AS
(
    SELECT toIPv6(x.1) AS exporter, x.2 AS last
    FROM (SELECT arrayJoin(arrayZip({exporters:Array(String)}, {lasts:Array(Int64)})) AS x)
)
SELECT
    activity.exporter AS exporter,
    toUInt64(length(arraySort(groupUniqArray(toUnixTimestamp(activity.at))) AS moments)) AS buckets,
    toUInt64(ifNull(arrayReduce('quantileExactOrNull(0.99)', arrayPopFront(arrayDifference(moments))), 0)) AS gap_seconds
FROM exporter_activity AS activity
INNER JOIN quiet ON activity.exporter = quiet.exporter
WHERE activity.at >= {since:DateTime64(3)} AND activity.at <= {until:DateTime64(3)}
    AND toInt64(toUnixTimestamp(activity.at)) * 1000 BETWEEN quiet.last - {history:Int64} AND quiet.last
GROUP BY exporter
HAVING buckets >= {min_buckets:UInt64}
