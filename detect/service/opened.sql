-- Whose SYN each router saw first in one TCP session: 1 the client's, -1 the server's.
--
-- since, end                     by received_at, half-open
-- assets                         the ends as column asset may name them: the sort key
-- server, server_port            the end that is thought to serve
-- client, client_port            the other one
WITH
    toIPv6({server:String}) AS server,
    toIPv6({client:String}) AS client,
    src_addr = client AS from_client
SELECT toInt8(sign(server_syn - client_syn)) AS first
FROM
(
    SELECT
        exporter,
        minIf(toUnixTimestamp64Milli(start_at), from_client) AS client_syn,
        minIf(toUnixTimestamp64Milli(start_at), NOT from_client) AS server_syn
    FROM watched_flows
    WHERE received_at >= {since:DateTime64(3)} AND received_at < {end:DateTime64(3)}
        AND asset IN ({assets:Array(String)})
        AND protocol = 6 AND bitAnd(tcp_flags, 2) != 0 AND start_at > toDateTime64('1971-01-01 00:00:00', 3, 'UTC')
        AND ((src_addr = client AND src_port = {client_port:UInt16} AND dst_addr = server AND dst_port = {server_port:UInt16})
            OR (src_addr = server AND src_port = {server_port:UInt16} AND dst_addr = client AND dst_port = {client_port:UInt16}))
    GROUP BY exporter
    HAVING countIf(from_client) > 0 AND countIf(NOT from_client) > 0
)
