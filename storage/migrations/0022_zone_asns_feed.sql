CREATE MATERIALIZED VIEW IF NOT EXISTS zone_asns_feed TO {{.Table "zone_asns"}}
AS
/* From the flows, which alone name the organisation. */
SELECT
    if(f.asset_end = 'dst', f.dst_zone, f.src_zone) AS zone,
    if(f.asset_end = 'dst', f.dst_zone_kind, f.src_zone_kind) AS zone_kind,
    if(f.asset_end = 'dst', f.src_asn, f.dst_asn) AS asn,
    (f.protocol != 6 OR bitAnd(f.tcp_flags, 24) = 24 OR (bitAnd(f.tcp_flags, 4) = 0 AND f.bytes > f.packets * 90))
        AND (f.asset_end != 'dst' OR f.protocol = 6 OR f.src_zone != '') AS talked,
    anyLast(if(f.asset_end = 'dst', f.src_as_org, f.dst_as_org)) AS organisation,
    min(f.received_at) AS first_seen,
    max(f.received_at) AS last_seen,
    count() AS flows,
    countIf(f.initiator != 'unknown' AND (f.initiator = 'src') = (f.asset_end = 'dst')) AS opened_by_peer,
    countIf(f.initiator != 'unknown' AND (f.initiator = 'src') != (f.asset_end = 'dst')) AS opened_by_asset
FROM {{.Table "flows"}} AS f
WHERE f.watched AND if(f.asset_end = 'dst', f.src_asn, f.dst_asn) != 0
GROUP BY ALL
