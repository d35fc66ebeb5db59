-- title: Who talked to an asset
-- finds: Every peer of an asset by service, outsiders that got in first, then other strangers; whole hours, bytes are estimates.
-- technique: T1078 Valid Accounts
-- technique: T1133 External Remote Services
-- param: asset String; asset of the inventory
-- param: since Time = 24h; from when on
-- param: until Time = 0s; up to when
-- param: limit Number = 200; rows at most

WITH
a -> replaceRegexpOne(toString(a), '^::ffff:([0-9.]+)$', '\\1') AS text,
n -> transform(n, [1, 4, 6, 17, 41, 47, 50, 51, 58, 115, 132],
    ['icmp', 'ipip', 'tcp', 'udp', 'ip6in4', 'gre', 'esp', 'ah', 'icmpv6', 'l2tp', 'sctp'], toString(n)) AS name_of,
-- Of two protected ends the view calls one the asset: the one asked for may be its peer.
talks AS
(
    SELECT
        asset = {asset:String} AS own,
        if(own, peer_addr, asset_addr) AS other_addr,
        if(own, peer_asset, asset) AS other_asset, if(own, peer_zone, asset_zone) AS other_zone,
        if(own, peer_country, '') AS other_country, if(own, peer_asn, 0) AS other_asn,
        protocol, port,
        -- Without a port nobody asked, unless a record says so.
        multiIf(port = 0 AND opened_by_peer + opened_by_asset = 0, '', asset_serves = own, 'peer', 'asset') AS opened_by,
        to_asset = own AS inward,
        -- The peer got through when the asset spoke to it too, or it sent data over TCP: more
        -- than the bare headers of a refused or unanswered attempt.
        (protocol != 6 OR bitAnd(tcp_flags, 24) = 24 OR (bitAnd(tcp_flags, 4) = 0 AND bytes > packets * 90)) AND (NOT inward OR protocol = 6) AS talk,
        bytes, first_seen, last_seen
    FROM
    (
        SELECT * FROM conversations_by_hour
        WHERE at >= toStartOfHour({since:DateTime64(3, 'UTC')}) AND at < {until:DateTime64(3, 'UTC')} AND asset = {asset:String}
        UNION ALL
        SELECT * FROM conversations_by_hour
        WHERE at >= toStartOfHour({since:DateTime64(3, 'UTC')}) AND at < {until:DateTime64(3, 'UTC')} AND peer_asset = {asset:String} AND asset != {asset:String}
    )
)
SELECT
    text(other_addr) AS peer,
    any(t.other_asset) AS peer_name,
    any(t.other_zone) AS zone,
    any(t.other_country) AS country,
    any(n.organisation) AS organisation,
    name_of(protocol) AS protocol_name,
    port,
    opened_by,
    toBool(max(t.talk)) AS talked,
    sumIf(t.bytes, t.inward) AS bytes_to_asset,
    sumIf(t.bytes, NOT t.inward) AS bytes_to_peer,
    min(t.first_seen) AS first_seen,
    max(t.last_seen) AS last_seen
FROM talks AS t
GLOBAL LEFT JOIN asns AS n ON n.asn = t.other_asn
GROUP BY other_addr, protocol, port, opened_by
ORDER BY talked AND zone = '' AND opened_by = 'peer' DESC, talked AND zone = '' DESC, talked AND peer_name = '' DESC, bytes_to_asset + bytes_to_peer DESC, peer, port
LIMIT {limit:UInt64}
