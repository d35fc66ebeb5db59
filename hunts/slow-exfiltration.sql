-- title: Little by little, day after day
-- finds: Outside peers, new since the beginning, to which an asset sends on many days and never so much that a day stands out; the most days first.
-- technique: T1029 Scheduled Transfer
-- technique: T1030 Data Transfer Size Limits
-- param: since Time = 14d; from when on; a peer of earlier days is left out
-- param: until Time = 0s; up to when
-- param: history Duration = 60d; how far before since a peer counts as one of earlier days
-- param: min_days Number = 4; on how many days it must be sent to
-- param: min_bytes Number = 1000000; how much at least on such a day
-- param: max_bytes Number = 500000000; how much at most on any day
-- param: limit Number = 100; rows at most

WITH
a -> replaceRegexpOne(toString(a), '^::ffff:([0-9.]+)$', '\\1') AS text,
days AS
(
    SELECT
        asset, peer_addr, toDate(at) AS day, any(c.peer_country) AS country, any(c.peer_asn) AS asn,
        groupUniqArray(10)(c.port) AS ports, min(c.first_seen) AS first_seen, max(c.last_seen) AS last_seen, sum(c.bytes) AS daily
    FROM conversations_by_hour AS c
    WHERE at >= toStartOfHour({since:DateTime64(3, 'UTC')} - toIntervalSecond({history:UInt64})) AND at < {until:DateTime64(3, 'UTC')}
        AND NOT to_asset AND peer_zone = ''
    GROUP BY asset, peer_addr, day
)
SELECT
    asset,
    text(peer_addr) AS peer, any(d.country) AS country, any(n.organisation) AS organisation,
    arraySort(groupUniqArrayArray(d.ports)) AS ports,
    countIf(d.daily >= {min_bytes:UInt64}) AS days_active,
    sum(d.daily) AS bytes_estimate,
    toUInt64(median(d.daily)) AS median_bytes_a_day,
    max(d.daily) AS most_bytes_a_day,
    min(d.first_seen) AS first_seen, max(d.last_seen) AS last_seen
FROM days AS d
GLOBAL LEFT JOIN asns AS n ON n.asn = d.asn
GROUP BY asset, peer_addr
HAVING first_seen >= {since:DateTime64(3, 'UTC')} AND days_active >= {min_days:UInt64} AND most_bytes_a_day <= {max_bytes:UInt64}
ORDER BY days_active DESC, bytes_estimate DESC
LIMIT {limit:UInt64}
