/* What {device} sent, by ten minutes: its logs by server, and everything else. */
SELECT
    toStartOfTenMinutes(d.at) AS ten_minutes,
    d.log AS log,
    replaceRegexpOne(toString(d.server), '^::ffff:(.*[.])', '\\1') AS server,
    replaceRegexpOne(toString(d.exporter), '^::ffff:(.*[.])', '\\1') AS seen_by,
    sum(d.flows) AS flows
FROM device_minute AS d
WHERE {who}d.at >= toDateTime('{since}', 'UTC') AND d.at < toDateTime('{until}', 'UTC')
GROUP BY ten_minutes, log, d.server, d.exporter
ORDER BY ten_minutes DESC, log, server, seen_by
