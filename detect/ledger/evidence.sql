-- What each router saw of the traffic between some ends and a network, each way.
SELECT
    sighting.1 AS exporter,
    max(sighting.3) AS sampling,
    min(first_seen) AS first_seen,
    max(last_seen) AS last_seen,
    sum(sighting.4) AS flows,
    sumIf(sighting.5, to_sender) AS bytes_to_asset,
    sumIf(sighting.5, NOT to_sender) AS bytes_to_peer,
    sum(sighting.6) AS packets
FROM
(
    SELECT
        first_seen, last_seen,
        arrayJoin(arrayZip(sighting_exporters, sighting_to_asset, sighting_sampling, sighting_flows, sighting_bytes, sighting_packets)) AS sighting,
        sighting.2 = (asset_addr IN {senders:Array(IPv6)}) AS to_sender
    FROM sessions
    WHERE pane >= {start:DateTime64(3)} AND pane < {end:DateTime64(3)}
        AND ((asset_addr IN {senders:Array(IPv6)} AND peer_addr >= {first:IPv6} AND peer_addr <= {last:IPv6})
            OR (peer_addr IN {senders:Array(IPv6)} AND asset_addr >= {first:IPv6} AND asset_addr <= {last:IPv6}))
)
GROUP BY exporter
ORDER BY exporter
