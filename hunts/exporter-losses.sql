-- title: What was lost of an exporter
-- finds: Routers of which datagrams or records were lost on the way or dropped, hour by hour, the largest losses first.
-- technique: T1562.006 Indicator Blocking
-- param: exporter String = ; only this router, by its address; empty all
-- param: since Time = 24h; from when on
-- param: until Time = 0s; up to when
-- param: limit Number = 200; rows at most

WITH
a -> replaceRegexpOne(toString(a), '^::ffff:([0-9.]+)$', '\\1') AS text
SELECT
    text(exporter) AS router,
    toStartOfHour(at) AS hour,
    sum(h.lost_records) AS lost_records,
    sum(h.lost_datagrams) AS lost_datagrams,
    arraySum(mapValues(sumMap(h.dropped) AS reasons)) AS dropped,
    reasons AS dropped_by_reason,
    sum(h.records) AS records,
    sum(h.datagrams) AS datagrams,
    -- Of what the router sent, by its own numbering.
    round(lost_records / greatest(lost_records + records, 1) + lost_datagrams / greatest(lost_datagrams + datagrams, 1), 4) AS lost_share,
    sum(h.late_datagrams) AS late_datagrams,
    sum(h.restarts) AS restarts,
    sum(h.unsampled_records) AS unsampled_records
FROM exporter_health AS h
WHERE at >= {since:DateTime64(3, 'UTC')} AND at < {until:DateTime64(3, 'UTC')}
    AND ({exporter:String} = '' OR text(exporter) = {exporter:String})
GROUP BY exporter, hour
HAVING lost_records + lost_datagrams + dropped + restarts > 0
ORDER BY lost_share DESC, dropped DESC, hour DESC
LIMIT {limit:UInt64}
