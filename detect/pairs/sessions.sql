-- The sessions of some pairs in the panes of some spans of stream time. The spans stand
-- here twice: the outermost bounds let the engine skip the rest.
WITH wanted AS
(
    SELECT toIPv6(x.1) AS asset_addr, toIPv6(x.2) AS peer_addr, toUInt8(x.3) AS protocol, x.4 AS port
    FROM (SELECT arrayJoin(arrayZip({assets:Array(String)}, {peers:Array(String)}, {protocols:Array(UInt16)}, {ports:Array(UInt16)})) AS x)
)
SELECT
    pane, asset_addr, peer_addr, asset_port, peer_port, protocol, port, asset_serves, toString(initiator) AS opened,
    bitTest(marks, 0) AS established, bitTest(marks, 1) AS answered, bitTest(marks, 2) AS asset_tried, bitTest(marks, 3) AS peer_tried,
    bitTest(marks, 4) AS asset_spoke, bitTest(marks, 5) AS peer_spoke,
    flows, bytes_in, bytes_out, packets_in, packets_out, first_seen, last_seen, flow_start, flow_end, started_at, sampling, least_sampling,
    asset_name, asset_zone, asset_zone_kind, asset_role, asset_country, asset_asn, asset_as_org, asset_intel,
    peer_name, peer_zone, peer_zone_kind, peer_role, peer_country, peer_asn, peer_as_org, peer_intel,
    arrayMap(e -> toString(e), sighting_exporters) AS exporters, arrayMap(x -> toUInt8(x), sighting_to_asset) AS to_asset,
    sighting_sampling AS samplings, sighting_in_if AS in_ifs, sighting_flows AS each_flows, sighting_bytes AS each_bytes, sighting_packets AS each_packets
FROM sessions
WHERE pane >= {start:DateTime64(3)} AND pane < {end:DateTime64(3)}
    AND (empty({hours:Array(UInt32)}) OR has({hours:Array(UInt32)}, toUnixTimestamp(toStartOfHour(pane))))
    AND (asset_addr, peer_addr, protocol, port) GLOBAL IN (SELECT asset_addr, peer_addr, protocol, port FROM wanted)
ORDER BY pane, asset_addr, peer_addr, protocol, asset_port, peer_port
