-- How many systems talk with each autonomous system, and with each network, outside;
-- and, as the row that sums all, how many talk with anything outside at all. Of what
-- fewer than three talk with: nothing. addrs are the addresses of a network.
SELECT
    asn,
    toBool(grouping(network)) AND toBool(grouping(asn)) AS in_all,
    toBool(grouping(asn)) AS by_network,
    uniqExact(host) AS hosts,
    if(by_network AND NOT in_all, arraySort(groupUniqArray(toString(to_addr))), []) AS addrs
FROM
(
    WITH
        false AS turned,
        {ends}
    SELECT DISTINCT (from_name, from_key) AS host, to_addr, peer_asn AS asn, to_network AS network
    FROM pair_hours
    WHERE hour >= {since:DateTime64(3)} AND hour < {end:DateTime64(3)}
        AND from_zone IN {protected:Array(String)} AND to_zone NOT IN {protected:Array(String)}
)
GROUP BY GROUPING SETS ((asn), (network), ())
HAVING in_all OR hosts >= 3 AND (by_network OR asn != 0)
ORDER BY in_all, by_network, asn, network
