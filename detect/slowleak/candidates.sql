-- Which systems sent a network outside on most of the last days, more than came back.
-- A pair's better protected end is its asset, so that what goes outside is bytes_out.
WITH
    false AS turned,
    {ends}
SELECT
    from_name,
    if(from_name = '', from_addr, toIPv6('::')) AS from_addr_key,
    to_network,
    uniqExact(toDate(hour)) AS days,
    sum(sent) AS sent_bytes,
    sum(received) AS received_bytes
FROM pair_hours
WHERE hour >= {since:DateTime64(3)} AND hour < {end:DateTime64(3)}
    AND from_zone IN {protected:Array(String)} AND to_zone NOT IN {protected:Array(String)}
GROUP BY from_name, from_addr_key, to_network
HAVING days >= {days:UInt16} AND sent_bytes >= {least:UInt64} AND sent_bytes >= received_bytes * {times:Float64}
ORDER BY from_name, from_addr_key, to_network
