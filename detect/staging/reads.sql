-- Who got much, in a day, from a system that holds what the intruders come for.
WITH
    {ends}
SELECT
    {since:DateTime64(3)} AS at,
    from_name, from_addr, from_zone, from_kind, from_role,
    to_name, to_addr, to_zone, to_kind, to_role,
    any(receiver_country) AS to_country, any(receiver_asn) AS to_asn, any(receiver_as_org) AS to_as_org,
    protocol, port, opened, from_serves,
    sum(sent) AS sent_bytes,
    sum(received) AS received_bytes,
    max(least_sampling) AS sampling
FROM pair_hours
ARRAY JOIN [false, true] AS turned
WHERE hour >= {since:DateTime64(3)} AND hour < {end:DateTime64(3)}
    AND (from_role IN {targets:Array(String)} OR from_kind = 'lawful-intercept')
    AND to_role NOT IN {roles:Array(String)}
GROUP BY from_name, from_addr, from_zone, from_kind, from_role, to_name, to_addr, to_zone, to_kind, to_role, protocol, port, opened, from_serves
HAVING sent_bytes >= {least:UInt64}
ORDER BY from_name, from_addr, sent_bytes DESC, to_name, to_addr, protocol, port, opened, from_serves
