-- Which systems talk with each of some networks, and with what role.
WITH
    false AS turned,
    {ends}
SELECT
    to_network,
    from_role,
    uniqExact(from_name, from_key) AS hosts
FROM
(
    SELECT *
    FROM pair_hours
    WHERE hour >= {since:DateTime64(3)} AND hour < {end:DateTime64(3)}
        AND arrayExists((first, last) -> peer_addr >= first AND peer_addr <= last, {firsts:Array(IPv6)}, {lasts:Array(IPv6)})
)
WHERE from_zone IN {protected:Array(String)} AND to_zone NOT IN {protected:Array(String)}
GROUP BY to_network, from_role
ORDER BY to_network, from_role
