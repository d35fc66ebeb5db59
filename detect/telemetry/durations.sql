-- How long the longer records of each exporter were: by the hour, and from fine on
-- by ten minutes.
SELECT
    d.exporter AS exporter,
    if(d.at >= {fine:DateTime64(3)}, d.at, toStartOfHour(d.at)) AS start,
    d.bucket AS bucket,
    sum(d.flows) AS flows
FROM exporter_durations AS d
WHERE d.at >= {since:DateTime64(3)} AND d.at < {until:DateTime64(3)}
GROUP BY exporter, start, bucket
