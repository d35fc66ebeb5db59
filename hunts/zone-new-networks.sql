-- title: New networks of a zone
-- finds: Autonomous systems that protected zones talk with now and never did before, however long ago, with the peers there; the latest first.
-- technique: T1583.003 Virtual Private Server
-- technique: T1090 Proxy
-- param: zone String = ; only of this zone; empty any
-- param: since Time = 24h; from when on a network counts as new
-- param: until Time = 0s; up to when
-- param: limit Number = 200; rows at most

WITH
a -> replaceRegexpOne(toString(a), '^::ffff:([0-9.]+)$', '\\1') AS text,
n -> transform(n, [1, 4, 6, 17, 41, 47, 50, 51, 58, 115, 132],
    ['icmp', 'ipip', 'tcp', 'udp', 'ip6in4', 'gre', 'esp', 'ah', 'icmpv6', 'l2tp', 'sctp'], toString(n)) AS name_of,
fresh AS
(
    SELECT zone, asn, min(z.first_seen) AS began, max(z.last_seen) AS ended, sum(z.opened_by_peer) AS from_there, sum(z.opened_by_asset) AS from_here, argMax(z.organisation, z.last_seen) AS organisation
    FROM zone_asns AS z
    WHERE talked AND ({zone:String} = '' OR zone = {zone:String})
    GROUP BY zone, asn
    HAVING began >= {since:DateTime64(3, 'UTC')} AND began < {until:DateTime64(3, 'UTC')}
)
SELECT
    f.zone AS zone,
    f.asn AS asn,
    any(f.organisation) AS organisation,
    arraySort(groupUniqArray(20)(p.asset)) AS assets,
    arraySort(groupUniqArray(20)(text(p.peer_addr))) AS peers,
    arraySort(groupUniqArray(20)(concat(name_of(p.protocol), '/', toString(p.port)))) AS services,
    -- Who opened the conversations, as far as records tell.
    multiIf(any(f.from_there) > 0 AND any(f.from_here) > 0, 'both', any(f.from_there) > 0, 'peer', any(f.from_here) > 0, 'asset', '') AS opened_by,
    any(f.began) AS first_seen,
    any(f.ended) AS last_seen
FROM fresh AS f
GLOBAL INNER JOIN asset_peers AS p ON p.asset_zone = f.zone AND p.peer_asn = f.asn
WHERE p.talked
GROUP BY zone, f.asn
ORDER BY first_seen DESC, zone
LIMIT {limit:UInt64}
