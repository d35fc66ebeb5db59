-- title: New countries of a zone
-- finds: Countries that protected zones talk with now and never did before, however long ago, with the peers there; the latest first.
-- technique: T1583.003 Virtual Private Server
-- technique: T1090 Proxy
-- param: zone String = ; only of this zone; empty any
-- param: since Time = 24h; from when on a country counts as new
-- param: until Time = 0s; up to when
-- param: limit Number = 200; rows at most

WITH
a -> replaceRegexpOne(toString(a), '^::ffff:([0-9.]+)$', '\\1') AS text,
n -> transform(n, [1, 4, 6, 17, 41, 47, 50, 51, 58, 115, 132],
    ['icmp', 'ipip', 'tcp', 'udp', 'ip6in4', 'gre', 'esp', 'ah', 'icmpv6', 'l2tp', 'sctp'], toString(n)) AS name_of,
fresh AS
(
    SELECT zone, country, min(z.first_seen) AS began, max(z.last_seen) AS ended, sum(z.opened_by_peer) AS from_there, sum(z.opened_by_asset) AS from_here
    FROM zone_countries AS z
    WHERE talked AND ({zone:String} = '' OR zone = {zone:String})
    GROUP BY zone, country
    HAVING began >= {since:DateTime64(3, 'UTC')} AND began < {until:DateTime64(3, 'UTC')}
)
SELECT
    f.zone AS zone,
    f.country AS country,
    any(c.name) AS country_name,
    arraySort(groupUniqArray(20)(p.asset)) AS assets,
    arraySort(groupUniqArray(20)(text(p.peer_addr))) AS peers,
    arraySort(groupUniqArray(20)(concat(name_of(p.protocol), '/', toString(p.port)))) AS services,
    -- Who opened the conversations, as far as records tell.
    multiIf(any(f.from_there) > 0 AND any(f.from_here) > 0, 'both', any(f.from_there) > 0, 'peer', any(f.from_here) > 0, 'asset', '') AS opened_by,
    any(f.began) AS first_seen,
    any(f.ended) AS last_seen
FROM fresh AS f
GLOBAL INNER JOIN asset_peers AS p ON p.asset_zone = f.zone AND p.peer_country = f.country
GLOBAL LEFT JOIN countries AS c ON c.code = f.country
WHERE p.talked
GROUP BY zone, f.country
ORDER BY first_seen DESC, zone
LIMIT {limit:UInt64}
