-- What some hosts got from the core and from lawful intercept in all, in steps that end
-- at end.
WITH
    {ends}
SELECT
    toDateTime(toUnixTimestamp({end:DateTime64(3)}) - {step:UInt32} * (1 + intDiv(toUnixTimestamp({end:DateTime64(3)}) - 1 - toUnixTimestamp(hour), {step:UInt32})), 'UTC') AS at,
    to_name, to_key,
    sum(sent) AS sent_bytes
FROM pair_hours
ARRAY JOIN [false, true] AS turned
PREWHERE hour >= {since:DateTime64(3)} AND hour < {end:DateTime64(3)}
    AND (asset_name IN {names:Array(String)} OR peer_name IN {names:Array(String)} OR asset_addr IN {addrs:Array(IPv6)} OR peer_addr IN {addrs:Array(IPv6)})
WHERE (to_name != '' AND to_name IN {names:Array(String)} OR to_name = '' AND to_addr IN {addrs:Array(IPv6)})
    AND from_kind IN ('lawful-intercept', 'core')
GROUP BY at, to_name, to_key
