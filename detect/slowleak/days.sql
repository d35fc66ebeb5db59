-- What each system sent outside, day by day, but for the autonomous systems and the
-- addresses of networks that most systems talk with.
WITH
    false AS turned,
    {ends}
SELECT
    toStartOfDay(hour) AS at,
    from_name,
    if(from_name = '', from_addr, toIPv6('::')) AS from_addr_key,
    sumIf(sent, peer_asn NOT IN {common:Array(UInt32)} AND peer_addr NOT IN {addrs:Array(IPv6)}) AS sent_bytes,
    max(least_sampling) AS sampling
FROM pair_hours
WHERE hour >= {since:DateTime64(3)} AND hour < {end:DateTime64(3)}
    AND from_zone IN {protected:Array(String)} AND to_zone NOT IN {protected:Array(String)}
GROUP BY at, from_name, from_addr_key
ORDER BY at, from_name, from_addr_key
