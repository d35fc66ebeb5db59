-- What the sources have polled by SNMP before: on how many days, how many devices at
-- most on one of them, and how much of one device in its busiest hour.
SELECT source, uniqExact(day) AS days, max(day_devices) AS devices, max(day_packets) AS packets
FROM
(
    SELECT
        if(initiator = 'peer', peer_addr, asset_addr) AS source,
        toDate(hour, 'UTC') AS day,
        uniqExact(if(initiator = 'peer', asset_addr, peer_addr)) AS day_devices,
        max(if(initiator = 'peer', packets_in, packets_out)) AS day_packets
    FROM pair_hours
    WHERE hour >= toDateTime({since:DateTime64(3)}, 'UTC') AND hour < toDateTime({end:DateTime64(3)}, 'UTC')
        AND protocol = 17 AND port IN (161, 10161)
        AND ((initiator = 'peer' AND has(arrayMap(x -> toIPv6(x), {sources:Array(String)}), peer_addr))
            OR (initiator = 'asset' AND has(arrayMap(x -> toIPv6(x), {sources:Array(String)}), asset_addr)))
    GROUP BY source, day
)
GROUP BY source
