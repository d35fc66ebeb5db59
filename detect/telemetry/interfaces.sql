-- What went through each interface of each router, hour by hour. minutes are those in
-- which something did, as bits.
SELECT
    t.exporter AS exporter,
    arrayJoin(arrayFilter(i -> i != 0, arrayDistinct([t.in_if, t.out_if]))) AS interface,
    toStartOfHour(t.at) AS hour,
    sum(t.flows) AS flows,
    groupBitOr(bitShiftLeft(toUInt64(1), toMinute(t.at))) AS minutes
FROM traffic_minute AS t
WHERE t.at >= {since:DateTime64(3)} AND t.at < {until:DateTime64(3)}
GROUP BY exporter, interface, hour
