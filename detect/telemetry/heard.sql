-- When each exporter was heard, hour by hour: of each ten seconds in which it sent
-- flows the last moment, in milliseconds since the hour began.
SELECT
    activity.exporter AS exporter,
    toStartOfHour(activity.at) AS hour,
    arraySort(groupUniqArray(toUInt32(toUnixTimestamp64Milli(activity.last_received_at) - toInt64(toUnixTimestamp(toStartOfHour(activity.at))) * 1000))) AS marks
FROM exporter_activity AS activity
WHERE activity.at >= {since:DateTime64(3)} AND activity.at < {until:DateTime64(3)}
GROUP BY exporter, hour
