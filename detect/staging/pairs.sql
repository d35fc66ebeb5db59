-- What some hosts got from some systems, in steps that end at end.
WITH
    {ends}
SELECT
    toDateTime(toUnixTimestamp({end:DateTime64(3)}) - {step:UInt32} * (1 + intDiv(toUnixTimestamp({end:DateTime64(3)}) - 1 - toUnixTimestamp(hour), {step:UInt32})), 'UTC') AS at,
    from_name, from_key, to_name, to_key,
    sum(sent) AS sent_bytes
FROM pair_hours
ARRAY JOIN [false, true] AS turned
PREWHERE hour >= {since:DateTime64(3)} AND hour < {end:DateTime64(3)}
    AND (asset_name IN {names:Array(String)} OR peer_name IN {names:Array(String)} OR asset_addr IN {addrs:Array(IPv6)} OR peer_addr IN {addrs:Array(IPv6)})
WHERE (from_name != '' AND from_name IN {names:Array(String)} OR from_name = '' AND from_addr IN {addrs:Array(IPv6)})
    AND (to_name != '' AND to_name IN {reader_names:Array(String)} OR to_name = '' AND to_addr IN {reader_addrs:Array(IPv6)})
GROUP BY at, from_name, from_key, to_name, to_key
