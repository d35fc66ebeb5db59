-- What was established in the window with some peers, between whom and for which
-- service. Where sampling hides sessions, a first one tells nothing.
SELECT
    asset, asset_addr, peer_addr, protocol, port, asset_serves, toString(initiator) AS opened_by,
    any(asset_name) AS asset_asset, any(asset_zone) AS asset_in, any(asset_zone_kind) AS asset_kind, any(p.asset_role) AS asset_as,
    any(peer_name) AS peer_asset, any(peer_zone) AS peer_in, any(peer_zone_kind) AS peer_kind, any(p.peer_role) AS peer_as,
    any(p.peer_country) AS country, any(p.peer_asn) AS asn,
    sum(p.established) AS sessions, max(p.answered) > 0 AS both,
    sum(p.flows) AS records, sum(p.bytes_in) AS to_asset, sum(p.bytes_out) AS to_peer, sum(p.packets_in + p.packets_out) AS packets,
    min(p.first_seen) AS first, max(p.last_seen) AS last
FROM pair_hours AS p
WHERE hour >= toDateTime({start:DateTime64(3)}, 'UTC') AND hour < toDateTime({end:DateTime64(3)}, 'UTC')
    AND p.established > 0 AND initiator != '' AND least_sampling <= 1
    AND peer_addr GLOBAL IN (SELECT toIPv6(arrayJoin({peers:Array(String)})))
GROUP BY asset, asset_addr, peer_addr, protocol, port, asset_serves, opened_by
ORDER BY asset, asset_addr, peer_addr, protocol, port, asset_serves, opened_by
