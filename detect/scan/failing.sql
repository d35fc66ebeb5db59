-- Of which sources inside, and of those that reached what the internet cannot, a contact
-- failed in an hour. See slow.sql.
WITH
    if(initiator = 'peer', asset_addr, peer_addr) AS target_addr,
    {unreachable:target_addr} AS unreachable
SELECT if(initiator = 'peer', peer_addr, asset_addr) AS source
FROM pair_hours
WHERE hour >= toDateTime({last:DateTime64(3)}, 'UTC') AND hour < toDateTime({end:DateTime64(3)}, 'UTC')
    AND initiator != '' AND protocol IN (1, 6, 17, 58, 132) AND if(protocol = 6, established, answered) = 0
    AND (if(initiator = 'peer', peer_zone, asset_zone) != '' OR unreachable)
    AND ((protocol = 6 AND least_sampling <= 1) OR if(initiator = 'peer', asset_name, peer_name) = '')
GROUP BY source
ORDER BY source
