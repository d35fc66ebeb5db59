-- How regularly one exporter was heard before it was heard last: in how many ten
-- seconds, and how long at most, but for one in a hundred, between two of them.
WITH arraySort(groupUniqArray(toUnixTimestamp(at))) AS moments
SELECT
    toUInt64(length(moments)) AS buckets,
    toUInt64(ifNull(arrayReduce('quantileExactOrNull(0.99)', arrayPopFront(arrayDifference(moments))), 0)) AS gap_seconds
FROM exporter_activity
WHERE at >= {since:DateTime64(3)} AND at <= {last:DateTime64(3)}
    AND exporter = {exporter:IPv6}
