/* What the collectors counted about {router}, minute by minute. */
SELECT
    toStartOfMinute(health.at) AS minute,
    replaceRegexpOne(toString(exporter), '^::ffff:(.*[.])', '\\1') AS router,
    sum(health.datagrams) AS datagrams,
    sum(health.lost_datagrams) AS lost_datagrams,
    sum(health.records) AS records,
    sum(health.lost_records) AS lost_records,
    sum(health.restarts) AS restarts,
    sumMap(health.dropped) AS dropped
FROM exporter_health AS health
WHERE {who}health.at >= toDateTime('{since}', 'UTC') AND health.at < toDateTime('{until}', 'UTC')
GROUP BY minute, exporter
ORDER BY minute DESC, exporter
