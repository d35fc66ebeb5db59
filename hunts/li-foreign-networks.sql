-- title: Lawful intercept and foreign or rented servers
-- finds: Peers outside the carrier of lawful-intercept zones, those in hosting networks and abroad first; whole hours, bytes are estimates.
-- technique: T1583.003 Virtual Private Server
-- technique: T1041 Exfiltration Over C2 Channel
-- param: home String = ; countries that are not foreign, as ISO 3166-1 has them, with commas (DE,AT); empty all are
-- param: since Time = 30d; from when on
-- param: until Time = 0s; up to when
-- param: limit Number = 200; rows at most

WITH
a -> replaceRegexpOne(toString(a), '^::ffff:([0-9.]+)$', '\\1') AS text,
-- By the names of the organisations, as address databases have them: a hint, not a list.
'(?i)hosting|cloud|server|vps|vultr|choopa|constant company|digitalocean|linode|hetzner|ovh|leaseweb|contabo|scaleway|online s\\.a\\.s|alibaba|tencent|m247|selectel' AS rents_servers,
talks AS
(
    SELECT
        asset, asset_addr, peer_addr, peer_country, peer_asn, port, to_asset, bytes, first_seen, last_seen,
        (protocol != 6 OR bitAnd(tcp_flags, 24) = 24 OR (bitAnd(tcp_flags, 4) = 0 AND bytes > packets * 90)) AND (NOT to_asset OR protocol = 6) AS talk
    FROM conversations_by_hour
    WHERE at >= toStartOfHour({since:DateTime64(3, 'UTC')}) AND at < {until:DateTime64(3, 'UTC')}
        AND asset_zone_kind = 'lawful-intercept' AND peer_zone = ''
)
SELECT
    any(t.asset) AS asset,
    text(peer_addr) AS peer, any(t.peer_country) AS country, any(t.peer_asn) AS asn, any(n.organisation) AS organisation,
    toBool(match(organisation, rents_servers)) AS hosting,
    toBool(country != '' AND NOT has(splitByChar(',', upper(replaceAll({home:String}, ' ', ''))), country)) AS foreign,
    arraySlice(arraySort(groupUniqArray(t.port)), 1, 10) AS ports,
    sumIf(t.bytes, NOT t.to_asset) AS bytes_out, sumIf(t.bytes, t.to_asset) AS bytes_in,
    min(t.first_seen) AS first_seen, max(t.last_seen) AS last_seen
FROM talks AS t
GLOBAL LEFT JOIN asns AS n ON n.asn = t.peer_asn
GROUP BY asset_addr, peer_addr
-- Probes from the internet that got no answer are no traffic.
HAVING max(t.talk)
ORDER BY hosting + foreign DESC, bytes_out DESC
LIMIT {limit:UInt64}
