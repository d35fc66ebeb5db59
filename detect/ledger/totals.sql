-- What the same traffic adds up to, counted once over routers.
SELECT
    sum(flows) AS flows,
    sumIf(bytes_in, asset_sends) + sumIf(bytes_out, NOT asset_sends) AS bytes_to_asset,
    sumIf(bytes_out, asset_sends) + sumIf(bytes_in, NOT asset_sends) AS bytes_to_peer,
    sum(packets_in + packets_out) AS packets,
    min(first_seen) AS first_seen,
    max(last_seen) AS last_seen
FROM
(
    SELECT *, asset_addr IN {senders:Array(IPv6)} AS asset_sends
    FROM sessions
    WHERE pane >= {start:DateTime64(3)} AND pane < {end:DateTime64(3)}
        AND ((asset_addr IN {senders:Array(IPv6)} AND peer_addr >= {first:IPv6} AND peer_addr <= {last:IPv6})
            OR (peer_addr IN {senders:Array(IPv6)} AND asset_addr >= {first:IPv6} AND asset_addr <= {last:IPv6}))
)
