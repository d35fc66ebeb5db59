-- Which systems served on which ports in some whole hours, by the system's name.
--
-- start, end    hours, half-open
SELECT
    if(asset_serves, asset, peer_name) AS server,
    protocol,
    port,
    max(hour) AS last
FROM pair_hours
WHERE hour >= {start:DateTime64(3)} AND hour < {end:DateTime64(3)}
    AND established > 0 AND port > 0 AND (asset_serves OR peer_name != '')
GROUP BY server, protocol, port
