-- Who used some services since they are new, and what was answered: the whole hours from
-- start on, and the sessions of the running one.
--
-- start, hour, end    the first hour, the running one, and the end of what is looked at
-- servers             names of the systems
SELECT
    server,
    protocol,
    port,
    groupUniqArray(1000)(client) AS clients,
    sum(reply) AS reply,
    min(first_seen) AS since
FROM
(
    SELECT
        if(asset_serves, asset, peer_name)::String AS server, protocol, port,
        toString(if(asset_serves, peer_addr, asset_addr)) AS client,
        if(asset_serves, bytes_out, bytes_in) AS reply,
        first_seen
    FROM pair_hours
    WHERE hour >= {start:DateTime64(3)} AND hour < {hour:DateTime64(3)}
        AND established > 0 AND initiator = if(asset_serves, 'peer', 'asset')
        AND if(asset_serves, asset, peer_name) IN ({servers:Array(String)})
    UNION ALL
    SELECT
        if(asset_serves, asset, peer_name)::String AS server, protocol, port,
        toString(if(asset_serves, peer_addr, asset_addr)) AS client,
        if(asset_serves, bytes_out, bytes_in) AS reply,
        first_seen
    FROM sessions
    WHERE pane >= {hour:DateTime64(3)} AND pane < {end:DateTime64(3)}
        AND bitAnd(marks, 1) != 0 AND initiator = if(asset_serves, 'peer', 'asset')
        AND if(asset_serves, asset, peer_name) IN ({servers:Array(String)})
)
GROUP BY server, protocol, port
