-- Which systems did anything in some whole hours, by their names.
--
-- start, end    hours, half-open
SELECT
    arrayJoin(if(peer_name != '', [asset::String, peer_name::String], [asset::String])) AS server,
    toUInt8(0) AS protocol,
    toUInt16(0) AS port,
    max(hour) AS last
FROM pair_hours
WHERE hour >= {start:DateTime64(3)} AND hour < {end:DateTime64(3)}
GROUP BY server
