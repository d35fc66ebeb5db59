-- Hosts that got much from several systems of the core or of lawful intercept, and gave
-- one address much, in the last days. got and gave count from the host's side. Pairs are
-- added up before their two directions are told apart, for they are far fewer.
SELECT
    host_name,
    host_addr,
    sum(got_bytes) AS got,
    countIf(got_bytes >= {part:UInt64}) AS sources,
    max(gave_bytes) AS gave
FROM
(
    WITH
        {ends}
    SELECT
        to_name AS host_name,
        to_key AS host_addr,
        from_name AS other_name,
        from_key AS other_addr,
        sumIf(sent, from_kind IN ('lawful-intercept', 'core')) AS got_bytes,
        sum(received) AS gave_bytes
    FROM
    (
        SELECT
            asset_name, asset_addr, asset_zone, asset_zone_kind, asset_role, peer_name, peer_addr, peer_zone, peer_zone_kind, peer_role,
            sum(p.bytes_in) AS bytes_in, sum(p.bytes_out) AS bytes_out
        FROM pair_hours AS p
        WHERE hour >= {since:DateTime64(3)} AND hour < {end:DateTime64(3)}
        GROUP BY asset_name, asset_addr, asset_zone, asset_zone_kind, asset_role, peer_name, peer_addr, peer_zone, peer_zone_kind, peer_role
    )
    ARRAY JOIN [false, true] AS turned
    WHERE to_zone IN {protected:Array(String)} AND to_role NOT IN {roles:Array(String)}
    GROUP BY host_name, host_addr, other_name, other_addr
)
GROUP BY host_name, host_addr
HAVING got >= {least:UInt64} AND sources >= {sources:UInt16} AND gave >= {share:Float64} * {least:UInt64} / 2
ORDER BY host_name, host_addr
