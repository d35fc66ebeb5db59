-- title: Bytes out of protected systems, by country
-- finds: How much each asset sent to addresses outside the carrier, by country and network, largest first; whole hours, bytes are estimates.
-- technique: T1041 Exfiltration Over C2 Channel
-- technique: T1048 Exfiltration Over Alternative Protocol
-- param: asset String = ; only of this asset; empty any
-- param: country String = ; only to this country, as ISO 3166-1 has it (SG); empty any
-- param: since Time = 24h; from when on
-- param: until Time = 0s; up to when
-- param: limit Number = 200; rows at most

WITH
a -> replaceRegexpOne(toString(a), '^::ffff:([0-9.]+)$', '\\1') AS text
SELECT
    peer_country AS country,
    c.asset AS asset,
    sum(c.bytes) AS bytes_estimate,
    peer_asn AS asn,
    any(n.organisation) AS organisation,
    uniqExact(c.peer_addr) AS peers,
    text(argMax(c.peer_addr, (c.bytes, c.peer_addr))) AS largest_peer,
    min(c.first_seen) AS first_seen,
    max(c.last_seen) AS last_seen
FROM conversations_by_hour AS c
GLOBAL LEFT JOIN asns AS n ON n.asn = c.peer_asn
WHERE at >= toStartOfHour({since:DateTime64(3, 'UTC')}) AND at < {until:DateTime64(3, 'UTC')}
    AND NOT c.to_asset AND peer_zone = ''
    AND ({asset:String} = '' OR c.asset = {asset:String})
    AND ({country:String} = '' OR peer_country = {country:String})
GROUP BY country, asset, asn
ORDER BY bytes_estimate DESC
LIMIT {limit:UInt64}
