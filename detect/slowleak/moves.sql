-- What some systems sent outside, day by day, receiver by receiver. networks
-- are those that count; empty: all.
WITH
    false AS turned,
    {ends}
SELECT
    toStartOfDay(hour) AS at,
    from_name, from_addr, from_zone, from_kind, from_role,
    to_name, to_addr, to_zone, to_kind, to_role,
    any(receiver_country) AS to_country, any(receiver_asn) AS to_asn, any(receiver_as_org) AS to_as_org,
    protocol, port, opened, from_serves,
    sum(sent) AS sent_bytes,
    sum(received) AS received_bytes,
    max(sent) AS peak_bytes,
    uniqExact(hour) AS hours,
    max(least_sampling) AS sampling
FROM pair_hours
WHERE hour >= {since:DateTime64(3)} AND hour < {end:DateTime64(3)}
    AND from_zone IN {protected:Array(String)} AND to_zone NOT IN {protected:Array(String)}
    AND (from_name != '' AND from_name IN {names:Array(String)} OR from_name = '' AND from_addr IN {addrs:Array(IPv6)})
    AND (empty({networks:Array(IPv6)}) OR to_network IN {networks:Array(IPv6)})
    AND bytes_out > 0
GROUP BY at, from_name, from_addr, from_zone, from_kind, from_role, to_name, to_addr, to_zone, to_kind, to_role, protocol, port, opened, from_serves
ORDER BY at, from_name, from_addr, sent_bytes DESC, to_addr, protocol, port, opened, from_serves
LIMIT {top:UInt32} BY at, from_name, from_addr
