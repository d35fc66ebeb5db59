-- Which systems talk with each of some networks, and with what role.
WITH
    false AS turned,
    {ends}
SELECT
    to_network,
    from_role,
    uniqExact(from_name, from_key) AS hosts
FROM pair_hours
WHERE hour >= {since:DateTime64(3)} AND hour < {end:DateTime64(3)}
    AND from_zone IN {protected:Array(String)} AND to_zone NOT IN {protected:Array(String)} AND to_network IN {networks:Array(IPv6)}
GROUP BY to_network, from_role
ORDER BY to_network, from_role
