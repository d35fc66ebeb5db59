-- The same by receiver and service: the largest of each sender and step, to be held
-- against the inventory one by one. Parameters as in sums.sql; top: how many.
WITH
    {ends}
SELECT
    toDateTime(intDiv(toUnixTimestamp(hour), {step:UInt32}) * {step:UInt32}, 'UTC') AS at,
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
    {which_pairs}
WHERE leaves
    {which_senders}
GROUP BY at, from_name, from_addr, from_zone, from_kind, from_role, to_name, to_addr, to_zone, to_kind, to_role, protocol, port, opened, from_serves
HAVING sent_bytes >= {least:UInt64}
ORDER BY at, from_name, from_addr, sent_bytes DESC, to_addr, protocol, port, opened, from_serves
LIMIT {top:UInt32} BY at, from_name, from_addr
