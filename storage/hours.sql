/*
   The rows of pair_hours from {from} to {to}, from sessions. The records of one five-tuple that follow one another
   closely are one session, however often a router reported of it (active timeout): the next begins where nothing was
   carried for a while, or with a SYN. What came before an hour is looked at for that only, an hour and a half of it; a
   router that reports every half hour is the slowest that counts. Each hour is made by itself, of what was there when
   it ended: many made at once are the same as one after the other.
*/
WITH
    toDateTime({from:Int64}, 'UTC') AS since,
    toDateTime({to:Int64}, 'UTC') AS until,
shown AS
(
    SELECT *, arrayJoin(arrayFilter(h -> h >= since AND h < until AND h <= pane + 5400, [toStartOfHour(pane), toStartOfHour(pane) + 3600, toStartOfHour(pane) + 7200])) AS hour
    FROM sessions
    WHERE pane >= since - 5400 AND pane < until
),
parts AS
(
    SELECT
        *,
        toUnixTimestamp64Milli(flow_start) AS start_ms,
        toUnixTimestamp64Milli(flow_end) AS end_ms,
        max(end_ms) OVER before AS ended_ms,
        count() OVER before > 0 AS goes_on,
        /* Silence within TCP is usual; the same ports of UDP are soon used again. */
        if(protocol = 6, 900000, 60000) AS patience_ms,
        /* Routers' clocks differ: the SYN that a second one saw a little later is the same. */
        NOT goes_on OR start_ms > ended_ms + patience_ms
            OR (protocol = 6 AND start_ms > ended_ms + 2000 AND bitAnd(bitOr(flags_in, flags_out), 2) != 0) AS begins
    FROM shown
    WINDOW before AS (PARTITION BY hour, asset_addr, peer_addr, protocol, asset_port, peer_port ORDER BY flow_start, pane ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
),
numbered AS
(
    SELECT
        *,
        /* Which session of its five-tuple, and what it adds to the time that is covered. */
        sum(begins) OVER (PARTITION BY hour, asset_addr, peer_addr, protocol, asset_port, peer_port ORDER BY flow_start, pane ROWS UNBOUNDED PRECEDING) AS session,
        greatest(0, end_ms - if(begins OR NOT goes_on, start_ms, greatest(start_ms, ended_ms))) AS adds_ms,
        arrayFilter(i -> sighting_to_asset[i], arrayEnumerate(sighting_exporters)) AS ins,
        arrayFilter(i -> NOT sighting_to_asset[i], arrayEnumerate(sighting_exporters)) AS outs,
        arrayMap(i -> sighting_exporters[i], ins) AS inward,
        arrayMap(i -> sighting_exporters[i], outs) AS outward
    FROM parts
),
/* What each session carried in each hour, as each router alone saw it: several routers report the same, at their own times. */
seen AS
(
    SELECT
        hour, asset_addr, peer_addr, protocol, asset_port, peer_port, session,
        argMax(asset, pane) AS asset,
        argMax(port, pane) AS port,
        argMax(asset_serves, pane) AS asset_serves,
        argMax(initiator, pane) AS initiator,
        argMax((asset_name, asset_zone, asset_zone_kind, asset_role), pane) AS asset_end,
        argMax((peer_name, peer_zone, peer_zone_kind, peer_role, peer_country, peer_asn, peer_as_org), pane) AS peer_end,
        max(begins) AS begun,
        minIf(flow_start, begins) AS began_at,
        max(bitAnd(marks, 1)) AS established,
        max(bitAnd(marks, 2)) AS answered,
        sum(adds_ms) AS active_ms,
        min(first_seen) AS first_seen,
        max(last_seen) AS last_seen,
        minMap(mapFromArrays(sighting_exporters, arrayMap(n -> if(n = 0, 4294967295, n), sighting_sampling))) AS sampling_of,
        sumMap(mapFromArrays(inward, arrayMap(i -> (sighting_flows[i]), ins))) AS flows_in,
        sumMap(mapFromArrays(inward, arrayMap(i -> (sighting_bytes[i]), ins))) AS bytes_in,
        sumMap(mapFromArrays(inward, arrayMap(i -> (sighting_packets[i]), ins))) AS packets_in,
        sumMap(mapFromArrays(outward, arrayMap(i -> (sighting_flows[i]), outs))) AS flows_out,
        sumMap(mapFromArrays(outward, arrayMap(i -> (sighting_bytes[i]), outs))) AS bytes_out,
        sumMap(mapFromArrays(outward, arrayMap(i -> (sighting_packets[i]), outs))) AS packets_out
    FROM numbered
    WHERE pane >= hour
    GROUP BY hour, asset_addr, peer_addr, protocol, asset_port, peer_port, session
),
hourly AS
(
    WITH
        told -> arrayMax(arrayMap((e, n) -> if(sampling_of[e] = 1, n, 0), mapKeys(told), mapValues(told))) AS exactly,
        told -> if(empty(told), 0, arrayMax(mapValues(told))) AS most
    SELECT
        *,
        arrayMin(mapValues(sampling_of)) AS least_sampling,
        /* A router that meters every packet tells exactly; of several the one that saw most. What only sampling routers
           saw is added up for each of them before one is chosen: few packets of one session say little. */
        least_sampling = 1 AS exact,
        if(exact, exactly(bytes_in), most(bytes_in)) AS session_in,
        if(exact, exactly(bytes_out), most(bytes_out)) AS session_out
    FROM seen
),
pairs AS
(
    SELECT
        hour, asset, asset_addr, peer_addr, protocol, port, asset_serves, initiator,
        max(h.asset_end) AS asset_end,
        max(h.peer_end) AS peer_end,
        uniqExact(h.asset_port, h.peer_port) AS active,
        uniqExactIf((h.asset_port, h.peer_port), h.established > 0) AS established,
        uniqExactIf((h.asset_port, h.peer_port), h.answered > 0) AS answered,
        sum(h.begun) AS begun,
        sum(h.active_ms) AS active_ms,
        min(h.first_seen) AS first_seen,
        max(h.last_seen) AS last_seen,
        arraySlice(arraySort(groupArrayIf((h.began_at, h.session_in, h.session_out), h.begun > 0)), 1, 1000) AS begins,
        min(h.least_sampling) AS least_sampling,
        minMap(h.sampling_of) AS sampling_of,
        sumIf(h.session_in, h.exact) AS exact_in,
        sumIf(h.session_out, h.exact) AS exact_out,
        sumIf(arrayMax(mapValues(h.packets_in)), h.exact) AS exact_packets_in,
        sumIf(arrayMax(mapValues(h.packets_out)), h.exact) AS exact_packets_out,
        sumIf(arrayMax(mapValues(h.flows_in)) + arrayMax(mapValues(h.flows_out)), h.exact) AS exact_flows,
        sumMapIf(h.bytes_in, NOT h.exact) AS bytes_in,
        sumMapIf(h.bytes_out, NOT h.exact) AS bytes_out,
        sumMapIf(h.packets_in, NOT h.exact) AS packets_in,
        sumMapIf(h.packets_out, NOT h.exact) AS packets_out,
        sumMapIf(h.flows_in, NOT h.exact) AS flows_in,
        sumMapIf(h.flows_out, NOT h.exact) AS flows_out
    FROM hourly AS h
    GROUP BY hour, asset, asset_addr, peer_addr, protocol, port, asset_serves, initiator
)
SELECT
    p.hour AS hour, p.asset AS asset, p.asset_addr AS asset_addr, p.peer_addr AS peer_addr, p.protocol AS protocol, p.port AS port,
    p.asset_serves AS asset_serves, p.initiator AS initiator,
    p.asset_end.1 AS asset_name, p.asset_end.2 AS asset_zone, p.asset_end.3 AS asset_zone_kind, p.asset_end.4 AS asset_role,
    p.peer_end.1 AS peer_name, p.peer_end.2 AS peer_zone, p.peer_end.3 AS peer_zone_kind, p.peer_end.4 AS peer_role,
    p.peer_end.5 AS peer_country, p.peer_end.6 AS peer_asn, p.peer_end.7 AS peer_as_org,
    p.active AS active, p.established AS established, p.answered AS answered, p.begun AS begun,
    p.exact_flows + p.flows_in[best_in] + p.flows_out[best_out] AS flows,
    p.exact_in + p.bytes_in[best_in] AS bytes_in,
    p.exact_out + p.bytes_out[best_out] AS bytes_out,
    p.exact_packets_in + p.packets_in[best_in] AS packets_in,
    p.exact_packets_out + p.packets_out[best_out] AS packets_out,
    p.active_ms AS active_ms, p.first_seen AS first_seen, p.last_seen AS last_seen,
    p.begins.1 AS starts, p.begins.2 AS start_bytes_in, p.begins.3 AS start_bytes_out,
    toUInt32(if(p.least_sampling = 4294967295, 0, p.least_sampling)) AS least_sampling,
    length(mapKeys(p.sampling_of)) AS exporters
FROM
(
    /* Of those that surely saw a tenth of the most, the router that samples least: a sampler surely saw its estimate less
       twice the standard deviation. */
    WITH
        (bytes, packets) -> arrayMax(arrayMap(e -> if(sampling_of[e] = 4294967295, toFloat64(bytes[e]),
            bytes[e] * greatest(0, 1 - 2 / sqrt(greatest(packets[e] / sampling_of[e], 1)))), mapKeys(bytes))) AS surely,
        (bytes, packets) -> arraySort(e -> (sampling_of[e], -toInt64(bytes[e]), e),
            arrayFilter(e -> bytes[e] * 10 >= surely(bytes, packets), mapKeys(bytes)))[1] AS best
    SELECT
        *,
        best(bytes_in, packets_in) AS best_in,
        best(bytes_out, packets_out) AS best_out
    FROM pairs
) AS p
ORDER BY hour, asset, peer_addr, protocol, port, asset_serves, initiator, asset_addr
