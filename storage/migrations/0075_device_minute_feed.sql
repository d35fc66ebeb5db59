CREATE MATERIALIZED VIEW IF NOT EXISTS device_minute_feed TO {{.Table "device_minute"}}
AS SELECT
    toStartOfMinute(toDateTime(f.received_at, 'UTC')) AS at,
    f.src_addr AS device,
    CAST(multiIf(
        f.protocol = 17 AND f.dst_port = 514 OR f.protocol = 6 AND f.dst_port IN (514, 601, 6514), 'syslog',
        f.protocol = 17 AND f.dst_port = 162, 'snmp-trap',
        f.protocol = 6 AND f.dst_port = 49 OR f.protocol = 17 AND f.dst_port IN (1813, 1646), 'accounting',
        'none'), 'Enum8(\'none\' = 0, \'syslog\' = 1, \'snmp-trap\' = 2, \'accounting\' = 3)') AS log,
    if(log = 'none', toIPv6('::'), f.dst_addr) AS server,
    f.exporter AS exporter,
    count() AS flows,
    today() AS inserted_on
FROM {{.Table "flows"}} AS f
WHERE f.watched AND f.src_zone_kind IN ('lawful-intercept', 'core', 'management', 'infrastructure')
GROUP BY ALL
