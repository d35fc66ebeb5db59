-- Which groups of peers each asset had in which hours, for which service. A group is what is interchangeable: systems of one role, neighbours of one
-- subnet that no asset owns, an autonomous system outside. Of two protected systems of
-- the same standing the one that was asked is the asset here.
WITH
    initiator = 'asset' AND peer_zone_kind IN ('lawful-intercept', 'core', 'management', 'infrastructure')
        AND (asset_zone_kind != 'lawful-intercept' OR peer_zone_kind = 'lawful-intercept') AS turned,
    if(turned, asset_addr, peer_addr) AS other_addr,
    if(turned, asset_role, peer_role) AS other_role,
    if(turned, peer_name, asset_name) AS own_name,
    if(turned, peer_addr, asset_addr) AS own_addr
SELECT
    hour AS at,
    if(turned, peer_zone, asset_zone) AS zone,
    if(own_name != '', own_name, replaceRegexpOne(toString(own_addr), '^::ffff:(.*[.])', '\\1')) AS own,
    protocol, port, asset_serves OR turned AS serves,
    if(turned, asset_zone, peer_zone) AS from_zone,
    if(from_zone != '', other_role, '') AS role,
    if(from_zone = '', peer_asn, 0) AS asn,
    if((from_zone != '' AND other_role != '') OR (from_zone = '' AND peer_asn != 0), '',
        toString(tupleElement(IPv6CIDRToRange(other_addr, if(startsWith(toString(other_addr), '::ffff:'), 120, 64)), 1))) AS subnet,
    if(from_zone = '', peer_country, '') AS country
FROM pair_hours
WHERE hour >= toDateTime({since:DateTime64(3)}, 'UTC') AND hour < toDateTime({end:DateTime64(3)}, 'UTC')
    AND established > 0 AND initiator != ''
GROUP BY at, zone, own, protocol, port, serves, from_zone, role, asn, subnet, country
ORDER BY at
