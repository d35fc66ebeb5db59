-- How many flows of protected systems one exporter reported.
SELECT count() AS flows
FROM watched_flows
WHERE received_at >= {since:DateTime64(3)} AND received_at <= {last:DateTime64(3)}
    AND exporter = {exporter:IPv6}
