/* What {router} sent, minute by minute, until it fell silent. */
SELECT
    toStartOfMinute(activity.at) AS minute,
    replaceRegexpOne(toString(exporter), '^::ffff:(.*[.])', '\\1') AS router,
    sum(activity.flows) AS flows,
    sum(activity.packets) AS packets,
    sum(activity.bytes) AS bytes,
    max(activity.last_received_at) AS last
FROM exporter_activity AS activity
WHERE {who}activity.at >= toDateTime('{since}', 'UTC') AND activity.at < toDateTime('{until}', 'UTC')
GROUP BY minute, exporter
ORDER BY minute DESC, exporter
