-- What each protected system sent, hour by hour, its logs apart from the rest, as
-- each router saw it. minutes are those in which it did, as bits.
SELECT
    d.device AS device, toString(d.log) AS log, d.server AS server, d.exporter AS exporter,
    toStartOfHour(d.at) AS hour,
    sum(d.flows) AS flows,
    groupBitOr(bitShiftLeft(toUInt64(1), toMinute(d.at))) AS minutes
FROM device_minute AS d
WHERE d.at >= {since:DateTime64(3)} AND d.at < {until:DateTime64(3)}
GROUP BY device, log, server, exporter, hour
