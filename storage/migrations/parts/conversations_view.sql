(
    at DateTime('UTC') COMMENT 'Start of the {{.Unit}}, by received_at.',
    asset LowCardinality(String) COMMENT 'The protected end: its name in the inventory, else its address.',
    asset_addr IPv6 COMMENT 'Address of the protected end.',
    asset_zone LowCardinality(String) COMMENT 'Zone of the protected end.',
    asset_zone_kind LowCardinality(String) COMMENT 'Kind of that zone.',
    asset_role LowCardinality(String) COMMENT 'Role of the protected end.',
    peer_addr IPv6 COMMENT 'Address of the other end.',
    peer_asset LowCardinality(String) COMMENT 'Name of the other end in the inventory; empty none.',
    peer_zone LowCardinality(String) COMMENT 'Zone of the other end; empty outside all zones.',
    peer_country LowCardinality(String) COMMENT 'Country of the other end.',
    peer_asn UInt32 COMMENT 'Autonomous system of the other end.',
    protocol UInt8 COMMENT 'IP protocol number.',
    port UInt16 COMMENT 'Service port: that of the end that was asked; where a record alone does not tell, the lower one.',
    asset_serves Bool COMMENT 'True: port is the asset\'s.',
    to_asset Bool COMMENT 'True: what the peer sent; false: what the asset sent.',
    told_by IPv6 COMMENT 'The router whose amounts these are: it tells best.',
    sampling_interval UInt32 COMMENT 'Of that router; 0 unknown.',
    flows UInt64 COMMENT 'Flow records, of that router.',
    bytes UInt64 COMMENT 'Bytes, of that router, multiplied by its sampling interval where it is known.',
    packets UInt64 COMMENT 'Packets, of that router, multiplied by its sampling interval where it is known.',
    tcp_flags UInt16 COMMENT 'All TCP flags that any router saw, or-ed.',
    opened_by_peer UInt64 COMMENT 'Records of that router that show that the peer opened the conversation.',
    opened_by_asset UInt64 COMMENT 'Records of that router that show that the asset opened it.',
    first_seen DateTime64(3, 'UTC') COMMENT 'Earliest received_at, of any router.',
    last_seen DateTime64(3, 'UTC') COMMENT 'Latest received_at, of any router.',
    longest_ms Int64 COMMENT 'Longest record of that router from its first packet to its last, in milliseconds.',
    total_ms Int64 COMMENT 'All records of that router from their first packets to their last, in milliseconds.',
    starts Array(DateTime64(3, 'UTC')) COMMENT 'When the flows began, by the clock of that router, at most 100.',
    exporters Array(IPv6) COMMENT 'Routers that saw it.'
)
AS
/*
   Several routers see the same packets, and one may meter both its sides. What tells best counts: of those that saw at
   least a tenth of what any one surely saw, the one that samples least, then the one with most bytes. A router that
   samples surely saw its estimate less twice the standard deviation, which is nothing up to four sampled packets: one
   alone of 4096 stands for megabytes that may not have been. All that describes a conversation is a key here, so that
   conditions on it reach the table.
*/
WITH
    arrayMap(n -> if(n = 0, 4294967295, n), groupArray(s.sampling_interval)) AS sampling_seen,
    groupArray(s.bytes) AS bytes_seen,
    arraySort(i -> (sampling_seen[i], -toInt64(bytes_seen[i]), groupArray(s.exporter)[i], groupArray(s.direction)[i]),
        arrayFilter(i -> bytes_seen[i] * 10 >= max(s.sure), arrayEnumerate(bytes_seen)))[1] AS best
SELECT
    s.at AS at, s.asset AS asset, s.asset_addr AS asset_addr, s.asset_zone AS asset_zone, s.asset_zone_kind AS asset_zone_kind, s.asset_role AS asset_role,
    s.peer_addr AS peer_addr, s.peer_asset AS peer_asset, s.peer_zone AS peer_zone, s.peer_country AS peer_country, s.peer_asn AS peer_asn,
    s.protocol AS protocol, s.port AS port, s.asset_serves AS asset_serves, s.to_asset AS to_asset,
    groupArray(s.exporter)[best] AS told_by,
    groupArray(s.sampling_interval)[best] AS sampling_interval,
    groupArray(s.flows)[best] AS flows,
    bytes_seen[best] AS bytes,
    groupArray(s.packets)[best] AS packets,
    groupBitOr(s.tcp_flags) AS tcp_flags,
    groupArray(s.opened_by_peer)[best] AS opened_by_peer,
    groupArray(s.opened_by_asset)[best] AS opened_by_asset,
    min(s.first_seen) AS first_seen,
    max(s.last_seen) AS last_seen,
    groupArray(s.longest_ms)[best] AS longest_ms,
    groupArray(s.total_ms)[best] AS total_ms,
    arraySort(groupArray(s.starts)[best]) AS starts,
    arraySort(groupUniqArray(s.exporter)) AS exporters
FROM
(
    /* What each router saw on each side: rows of one key may not be merged yet. */
    SELECT
        r.at AS at, r.asset AS asset, r.asset_addr AS asset_addr, r.asset_zone AS asset_zone, r.asset_zone_kind AS asset_zone_kind, r.asset_role AS asset_role,
        r.peer_addr AS peer_addr, r.peer_asset AS peer_asset, r.peer_zone AS peer_zone, r.peer_country AS peer_country, r.peer_asn AS peer_asn,
        r.protocol AS protocol, r.port AS port, r.asset_serves AS asset_serves, r.to_asset AS to_asset,
        r.exporter AS exporter, r.direction AS direction,
        max(r.sampling_interval) AS sampling_interval,
        sum(r.flows) AS flows, sum(r.bytes) AS bytes, sum(r.packets) AS packets,
        if(sampling_interval <= 1, toFloat64(bytes), bytes * greatest(0, 1 - 2 / sqrt(packets / sampling_interval))) AS sure,
        groupBitOr(r.tcp_flags) AS tcp_flags,
        sum(r.opened_by_peer) AS opened_by_peer, sum(r.opened_by_asset) AS opened_by_asset,
        min(r.first_seen) AS first_seen, max(r.last_seen) AS last_seen,
        max(r.longest_ms) AS longest_ms, sum(r.total_ms) AS total_ms,
        groupUniqArrayArray(100)(r.starts) AS starts
    FROM conversations_{{.Unit}} AS r
    GROUP BY at, asset, asset_addr, asset_zone, asset_zone_kind, asset_role, peer_addr, peer_asset, peer_zone, peer_country, peer_asn,
        protocol, port, asset_serves, to_asset, exporter, direction
) AS s
GROUP BY at, asset, asset_addr, asset_zone, asset_zone_kind, asset_role, peer_addr, peer_asset, peer_zone, peer_country, peer_asn,
    protocol, port, asset_serves, to_asset