-- What some systems, or all that sent at least so much, sent where it leaves (see
-- ledger/ends.sql), hour by hour or day by day.
--
-- since, end     the hours of the history
-- step           3600 or 86400 seconds: what is added up
-- names, addrs   the senders, by name or by address; both empty: all
-- least          the least that one sent in a step
WITH
    {ends}
SELECT
    toDateTime(intDiv(toUnixTimestamp(hour), {step:UInt32}) * {step:UInt32}, 'UTC') AS at,
    from_name,
    if(from_name = '', from_addr, toIPv6('::')) AS from_addr_key,
    sum(sent) AS sent_bytes,
    sum(received) AS received_bytes
FROM pair_hours
ARRAY JOIN [false, true] AS turned
PREWHERE hour >= {since:DateTime64(3)} AND hour < {end:DateTime64(3)}
    {which_pairs}
WHERE leaves
    {which_senders}
GROUP BY at, from_name, from_addr_key
HAVING sent_bytes >= {least:UInt64}
ORDER BY at, from_name, from_addr_key
