-- In which hours one system sent a network at least so much.
WITH
    {ends}
SELECT
    hour AS at,
    sum(sent) AS sent_bytes
FROM pair_hours
ARRAY JOIN [false, true] AS turned
PREWHERE hour >= {since:DateTime64(3)} AND hour < {end:DateTime64(3)}
    {which_pairs}
WHERE to_addr >= {first:IPv6} AND to_addr <= {last:IPv6}
    {which_senders}
GROUP BY at
HAVING sent_bytes >= {least:UInt64}
ORDER BY at
