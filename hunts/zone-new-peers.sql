-- title: First-time peers of a zone
-- finds: Pairs of a peer and an asset of the zone that talk now and never did before, however long ago; outsiders first.
-- technique: T1078 Valid Accounts
-- technique: T1021 Remote Services
-- param: zone String; zone of the inventory
-- param: since Time = 24h; from when on a pair counts as new
-- param: until Time = 0s; up to when
-- param: limit Number = 200; rows at most

WITH
a -> replaceRegexpOne(toString(a), '^::ffff:([0-9.]+)$', '\\1') AS text,
n -> transform(n, [1, 4, 6, 17, 41, 47, 50, 51, 58, 115, 132],
    ['icmp', 'ipip', 'tcp', 'udp', 'ip6in4', 'gre', 'esp', 'ah', 'icmpv6', 'l2tp', 'sctp'], toString(n)) AS name_of,
-- From the zone's side. Of two protected ends the table calls one the asset: the zone asked
-- for may be that of its peer.
pairs AS
(
    SELECT
        asset_zone, asset, peer_addr,
        any(p.peer_asset) AS peer_name, any(p.peer_zone) AS other_zone, any(p.peer_country) AS peer_country, any(p.peer_asn) AS peer_asn,
        arraySort(groupUniqArray(20)(concat(name_of(p.protocol), '/', toString(p.port)))) AS services,
        min(p.first_seen) AS began, max(p.last_seen) AS ended, sum(p.flows) AS records
    FROM asset_peers AS p
    WHERE talked
    GROUP BY asset_zone, asset, peer_addr
    HAVING asset_zone = {zone:String} OR other_zone = {zone:String}
)
SELECT
    if(asset_zone = {zone:String}, text(peer_addr), asset) AS peer,
    if(asset_zone = {zone:String}, peer_name, asset) AS peer_asset,
    if(asset_zone = {zone:String}, other_zone, asset_zone) AS zone,
    if(asset_zone = {zone:String}, peer_country, '') AS country,
    if(asset_zone = {zone:String}, n.organisation, '') AS organisation,
    multiIf(asset_zone = {zone:String}, asset, peer_name != '', peer_name, text(peer_addr)) AS asset,
    services,
    began AS first_seen,
    ended AS last_seen,
    records
FROM pairs
GLOBAL LEFT JOIN asns AS n ON n.asn = pairs.peer_asn
WHERE began >= {since:DateTime64(3, 'UTC')} AND began < {until:DateTime64(3, 'UTC')}
ORDER BY zone = '' DESC, peer_asset = '' DESC, first_seen
LIMIT {limit:UInt64}
