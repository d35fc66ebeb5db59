CREATE TABLE IF NOT EXISTS {{.Table "device_minute"}}
(
    at DateTime('UTC') COMMENT 'Start of the minute, by received_at.' CODEC(DoubleDelta, ZSTD(1)),
    device IPv6 COMMENT 'Address of the system that sent.' CODEC(ZSTD(1)),
    log Enum8('none' = 0, 'syslog' = 1, 'snmp-trap' = 2, 'accounting' = 3) COMMENT 'What it sent by the server\'s port: syslog (udp/514, tcp/514, tcp/601, tcp/6514), SNMP traps (udp/162), accounting (tcp/49, udp/1813, udp/1646); none: anything else.' CODEC(ZSTD(1)),
    server IPv6 COMMENT 'Whom it sent logs to; :: for anything else.' CODEC(ZSTD(1)),
    exporter IPv6 COMMENT 'Address of the router that saw it.' CODEC(ZSTD(1)),
    flows SimpleAggregateFunction(sum, UInt64) COMMENT 'Flow records.' CODEC(T64, ZSTD(1)),
    inserted_on SimpleAggregateFunction(max, Date) COMMENT 'Day on which the latest of it was stored; retention counts from here.' CODEC(ZSTD(1))
)
ENGINE = {{.Engine "AggregatingMergeTree"}}
PARTITION BY toMonday(at)
ORDER BY (at, device, log, server, exporter)
SETTINGS ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1, {{.Deduplication}}
COMMENT 'What each system of a protected zone sent, minute by minute, its logs apart from the rest: a system whose logs stop while the rest goes on is told by it.'
