-- title: Flows without a known sampling interval
-- finds: Routers whose records came without a sampling interval, so that their amounts may be hundreds of times too small; the most records first.
-- technique: T1562.006 Indicator Blocking
-- param: since Time = 24h; from when on
-- param: until Time = 0s; up to when
-- param: limit Number = 200; rows at most

WITH
a -> replaceRegexpOne(toString(a), '^::ffff:([0-9.]+)$', '\\1') AS text
SELECT
    text(exporter) AS router,
    toString(any(export_protocol)) AS export,
    countIf(sampling_interval = 0) AS records_without,
    round(records_without / count(), 3) AS share,
    countIf(sampling_interval = 0 AND watched) AS of_protected_systems,
    -- What it said at other times: a setting that vanished is worth a question.
    arraySort(groupUniqArrayIf(20)(sampling_interval, sampling_interval > 0)) AS intervals_said,
    minIf(received_at, sampling_interval = 0) AS first_without,
    maxIf(received_at, sampling_interval = 0) AS last_without,
    maxIf(received_at, sampling_interval > 0) AS last_with
FROM flows
WHERE received_at >= {since:DateTime64(3, 'UTC')} AND received_at < {until:DateTime64(3, 'UTC')}
GROUP BY exporter
HAVING records_without > 0
ORDER BY records_without DESC
LIMIT {limit:UInt64}
