-- title: Who tries many protected systems
-- finds: Addresses that tried several systems of protected zones of which most did not answer; those inside the carrier first.
-- technique: T1046 Network Service Discovery
-- technique: T1018 Remote System Discovery
-- param: min Number = 8; how many systems tried within a day
-- param: since Time = 24h; from when on
-- param: until Time = 0s; up to when
-- param: limit Number = 100; rows at most

WITH
a -> replaceRegexpOne(toString(a), '^::ffff:([0-9.]+)$', '\\1') AS text,
-- What one address says to another: whether it asks, and whether it says anything but a
-- refusal. Where both ports are the same nobody can tell who asks; then both do.
words AS
(
    SELECT
        src_addr, dst_addr,
        max(initiator = 'src' OR (initiator = 'unknown' AND src_port >= dst_port)) AS asks,
        max(protocol IN (17, 132) OR (protocol = 6 AND bitAnd(tcp_flags, 4) = 0) OR (protocol, icmp_type) IN ((1, 0), (58, 129))) AS speaks,
        any(src_asset) AS name, any(src_zone) AS zone, any(src_country) AS country,
        any(dst_zone_kind) AS kind,
        groupUniqArray(20)(dst_port) AS ports,
        min(received_at) AS first_seen, max(received_at) AS last_seen
    FROM watched_flows
    WHERE received_at >= {since:DateTime64(3, 'UTC')} AND received_at < {until:DateTime64(3, 'UTC')}
        AND protocol IN (1, 6, 17, 58, 132)
    GROUP BY src_addr, dst_addr
),
answers AS
(
    SELECT dst_addr, src_addr
    FROM words
    WHERE speaks
)
SELECT
    text(src_addr) AS source, any(w.name) AS source_asset, any(w.zone) AS source_zone, any(w.country) AS country,
    count() AS systems_tried, countIf((src_addr, dst_addr) GLOBAL NOT IN answers) AS systems_mute,
    countIf(w.kind = 'lawful-intercept') AS lawful_intercept,
    arraySlice(arraySort(groupUniqArrayArray(w.ports)), 1, 10) AS ports,
    min(w.first_seen) AS first_seen, max(w.last_seen) AS last_seen
FROM words AS w
WHERE asks AND kind IN ('lawful-intercept', 'core', 'management', 'infrastructure')
GROUP BY src_addr
HAVING systems_tried >= {min:UInt64} AND systems_mute * 2 > systems_tried
ORDER BY source_zone != '' DESC, lawful_intercept DESC, systems_tried DESC
LIMIT {limit:UInt64}
