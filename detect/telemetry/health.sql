-- What the collectors counted about each exporter: by the hour, and from fine on by
-- the minute. minutes are those of the hour in which they wrote, as bits.
SELECT
    c.exporter AS exporter,
    if(c.at >= {fine:DateTime64(3)}, toStartOfMinute(toDateTime(c.at, 'UTC')), toStartOfHour(toDateTime(c.at, 'UTC'))) AS start,
    groupBitOr(bitShiftLeft(toUInt64(1), toMinute(c.at))) AS minutes,
    sum(c.datagrams) AS datagrams, sum(c.records) AS records,
    sum(c.lost_datagrams) AS lost_datagrams, sum(c.lost_records) AS lost_records,
    sum(c.restarts) AS restarts,
    sum(c.dropped['queue_full'] + c.dropped['socket_buffer_full'] + c.dropped['sink_failed']) AS dropped
FROM exporter_health AS c
WHERE c.at >= {since:DateTime64(3)} AND c.at < {until:DateTime64(3)}
GROUP BY exporter, start
