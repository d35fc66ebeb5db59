-- Through which interfaces of an exporter traffic of lawful-intercept zones went.
SELECT arrayJoin(arrayFilter(i -> i != 0, arrayDistinct([w.in_if, w.out_if]))) AS interface, count() AS flows
FROM watched_flows AS w
WHERE w.exporter = toIPv6({router:String}) AND w.received_at >= {since:DateTime64(3)} AND w.received_at < {until:DateTime64(3)}
    AND (w.src_zone_kind = 'lawful-intercept' OR w.dst_zone_kind = 'lawful-intercept')
GROUP BY interface
ORDER BY interface
