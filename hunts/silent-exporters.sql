-- title: Exporters that fell silent
-- finds: Routers that exported flows and have stopped, the latest first; somebody may have turned the export off.
-- technique: T1562.006 Indicator Blocking
-- technique: T1070 Indicator Removal
-- param: silence Duration = 10m; how long a router must have said nothing
-- param: since Time = 7d; from when on a router must have been heard
-- param: until Time = 0s; up to when
-- param: limit Number = 200; rows at most

WITH
a -> replaceRegexpOne(toString(a), '^::ffff:([0-9.]+)$', '\\1') AS text,
heard AS
(
    SELECT exporter, at, flows, last_received_at
    FROM exporter_activity
    WHERE at >= {since:DateTime64(3, 'UTC')} AND at < {until:DateTime64(3, 'UTC')}
),
-- A collector that stood still heard nobody: silence counts up to what was heard last of anyone.
assumeNotNull((SELECT max(last_received_at) FROM heard)) AS latest
SELECT
    text(exporter) AS router,
    max(h.last_received_at) AS last_heard,
    dateDiff('second', last_heard, latest) AS silent_seconds,
    min(h.at) AS first_heard,
    sum(h.flows) AS flows_before,
    -- How often it used to be heard: of the ten seconds between first and last, these had flows.
    round(uniqExact(h.at) / (dateDiff('second', first_heard, toDateTime(last_heard, 'UTC')) / 10 + 1), 3) AS share_of_time_heard
FROM heard AS h
GROUP BY exporter
HAVING silent_seconds >= {silence:UInt64}
ORDER BY share_of_time_heard > 0.5 DESC, last_heard DESC
LIMIT {limit:UInt64}
