-- What some hosts got and gave, in steps that end at end, by the other end and service.
-- A row is seen from the host: giving says that it sent. Which pairs these are in is asked
-- first, of the stored columns, so that the others need not be read.
WITH
    {ends}
SELECT
    toDateTime(toUnixTimestamp({end:DateTime64(3)}) - {step:UInt32} * (1 + intDiv(toUnixTimestamp({end:DateTime64(3)}) - 1 - toUnixTimestamp(hour), {step:UInt32})), 'UTC') AS at,
    from_name, from_addr, from_zone, from_kind, from_role,
    to_name, to_addr, to_zone, to_kind, to_role,
    any(receiver_country) AS to_country, any(receiver_asn) AS to_asn, any(receiver_as_org) AS to_as_org,
    protocol, port, opened, from_serves,
    sum(sent) AS sent_bytes,
    sum(received) AS received_bytes,
    max(least_sampling) AS sampling
FROM pair_hours
ARRAY JOIN [false, true] AS turned
PREWHERE hour >= {since:DateTime64(3)} AND hour < {end:DateTime64(3)}
    AND (asset_name IN {names:Array(String)} OR peer_name IN {names:Array(String)} OR asset_addr IN {addrs:Array(IPv6)} OR peer_addr IN {addrs:Array(IPv6)})
WHERE sent > 0
    AND (from_name != '' AND from_name IN {names:Array(String)} OR from_name = '' AND from_addr IN {addrs:Array(IPv6)}
        OR (to_name != '' AND to_name IN {names:Array(String)} OR to_name = '' AND to_addr IN {addrs:Array(IPv6)})
            AND from_kind IN ('lawful-intercept', 'core'))
GROUP BY at, from_name, from_addr, from_zone, from_kind, from_role, to_name, to_addr, to_zone, to_kind, to_role, protocol, port, opened, from_serves
HAVING sent_bytes >= {least:UInt64}
ORDER BY at, from_name, from_addr, sent_bytes DESC, to_name, to_addr, protocol, port, opened, from_serves
