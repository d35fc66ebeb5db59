CREATE OR REPLACE VIEW alerts AS
/*
   Several routers report the same flows, each at its own moment, so that the windows of an alert must not be added up
   across routers: amounts are those of the router that tells best. Of those that saw at least a tenth of the most, that
   is the one that samples least, for what a few sampled packets add up to may be off by much.
*/
WITH
    minMap(mapFromArrays(f.sighting_exporters, arrayMap(n -> if(n = 0, 4294967295, n), f.sighting_sampling))) AS sampling_of,
    amounts -> arraySort(x -> (x.1, -x.2), arrayFilter(x -> x.2 * 10 >= arrayMax(mapValues(amounts)),
        arrayMap(e -> (sampling_of[e], toInt64(amounts[e])), mapKeys(amounts))))[1].2 AS told_best
SELECT
    id,
    argMax(f.detector, f.window_start) AS detector,
    argMax(f.rule, f.window_start) AS rule,
    max(f.window_start) AS window_start,
    argMax(f.window_end, f.window_start) AS window_end,
    min(f.first_seen) AS first_seen,
    max(f.last_seen) AS last_seen,
    max(f.severity) AS severity,
    argMax(f.title, f.window_start) AS title,
    argMax(f.summary, f.window_start) AS summary,
    max(f.confidence) AS confidence,
    argMax(f.reasons, f.window_start) AS reasons,
    argMax(f.measure_names, f.window_start) AS measure_names,
    argMax(f.measure_observed, f.window_start) AS measure_observed,
    argMax(f.measure_expected, f.window_start) AS measure_expected,
    argMax(f.measure_units, f.window_start) AS measure_units,
    argMax(f.measure_rarities, f.window_start) AS measure_rarities,
    argMax(f.next_steps, f.window_start) AS next_steps,
    /* The flows of all windows, not of the last alone: the query names its beginning, once for each address of the asset. */
    replaceAll(argMax(f.sql, f.window_start),
        concat('toDateTime64(\'', toString(max(f.window_start)), '\''),
        concat('toDateTime64(\'', toString(min(f.window_start)), '\'')) AS sql,
    argMax(f.asset_addr, f.window_start) AS asset_addr,
    argMax(f.asset_zone, f.window_start) AS asset_zone,
    argMax(f.asset_zone_kind, f.window_start) AS asset_zone_kind,
    argMax(f.asset, f.window_start) AS asset,
    argMax(f.asset_role, f.window_start) AS asset_role,
    argMax(f.asset_country, f.window_start) AS asset_country,
    argMax(f.asset_asn, f.window_start) AS asset_asn,
    argMax(f.asset_as_org, f.window_start) AS asset_as_org,
    argMax(f.peer_addr, f.window_start) AS peer_addr,
    argMax(f.peer_zone, f.window_start) AS peer_zone,
    argMax(f.peer_zone_kind, f.window_start) AS peer_zone_kind,
    argMax(f.peer_asset, f.window_start) AS peer_asset,
    argMax(f.peer_role, f.window_start) AS peer_role,
    argMax(f.peer_country, f.window_start) AS peer_country,
    argMax(f.peer_asn, f.window_start) AS peer_asn,
    argMax(f.peer_as_org, f.window_start) AS peer_as_org,
    argMax(f.initiator, f.window_start) AS initiator,
    argMax(f.protocol, f.window_start) AS protocol,
    argMax(f.port, f.window_start) AS port,
    toUInt64(if(empty(sampling_of) OR count() = 1, sum(f.flows), told_best(sumMap(mapFromArrays(f.sighting_exporters, f.sighting_flows))))) AS flows,
    toUInt64(if(empty(sampling_of) OR count() = 1, sum(f.bytes_to_asset), told_best(sumMap(mapFromArrays(f.sighting_exporters, f.sighting_bytes_to_asset))))) AS bytes_to_asset,
    toUInt64(if(empty(sampling_of) OR count() = 1, sum(f.bytes_to_peer), told_best(sumMap(mapFromArrays(f.sighting_exporters, f.sighting_bytes_to_peer))))) AS bytes_to_peer,
    toUInt64(if(empty(sampling_of) OR count() = 1, sum(f.packets), told_best(sumMap(mapFromArrays(f.sighting_exporters, f.sighting_packets))))) AS packets,
    arraySort(arrayDistinct(arrayFlatten(groupArray(f.exporters)))) AS exporters,
    /* What every window's evidence suffers from: a better window makes up for a worse one. */
    arraySort(arrayFold((common, q) -> arrayIntersect(common, q), groupArray(f.quality), argMax(f.quality, f.window_start))) AS quality,
    argMax(f.technique_ids, f.window_start) AS technique_ids,
    argMax(f.technique_names, f.window_start) AS technique_names,
    argMax(f.technique_tactics, f.window_start) AS technique_tactics,
    argMax(f.technique_matrices, f.window_start) AS technique_matrices,
    count() AS findings,
    min(f.stored_at) AS raised_at,
    max(f.stored_at) AS updated_at,
    max(f.version) AS version
FROM findings AS f FINAL
GROUP BY id
