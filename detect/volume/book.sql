-- What each protected system sent where it leaves, hour by hour, receiver by receiver;
-- and, with nothing sent, that it was active at all.
WITH
    {ends}
SELECT
    hour AS at,
    from_name, from_addr,
    if(leaves, to_addr, toIPv6('::')) AS receiver,
    if(leaves, protocol, 0) AS over,
    if(leaves, port, 0) AS service,
    if(leaves, opened, '') AS opened_by,
    leaves AND from_serves AS serves,
    sumIf(sent, leaves) AS sent_bytes
FROM pair_hours
ARRAY JOIN [false, true] AS turned
WHERE hour >= {since:DateTime64(3)} AND hour < {end:DateTime64(3)} AND from_zone IN {protected:Array(String)}
GROUP BY at, from_name, from_addr, receiver, over, service, opened_by, serves
ORDER BY at
