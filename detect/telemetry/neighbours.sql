-- What the other routers saw of each of some exporters before and after it fell
-- silent.
--
-- routers, lasts     the exporters, and when each was heard last (Unix milliseconds)
-- owners, addresses  which of them owns which address
-- hour               how long before (milliseconds); lag: how much later is after
-- since, until       bound all of it
WITH
    quiet AS
    (
        SELECT toIPv6(x.1) AS router, x.2 AS last
        FROM (SELECT arrayJoin(arrayZip({routers:Array(String)}, {lasts:Array(Int64)})) AS x)
    ),
    own AS
    (
        SELECT toIPv6(x.1) AS router, toIPv6(x.2) AS address, toInt64(x.3) AS last
        FROM (SELECT arrayJoin(arrayZip({owners:Array(String)}, {addresses:Array(String)}, {owner_lasts:Array(Int64)})) AS x)
    )
SELECT
    router,
    sum(sent_before) AS sent_before, sum(sent_after) AS sent_after, sum(got_after) AS got_after,
    sum(passed_before) AS passed_before, sum(passed_after) AS passed_after,
    arrayMap(e -> toString(e), arraySort(arrayDistinct(arrayFlatten(groupArray(x.seen_by))))) AS seen_by
FROM
(
    /* Of its own addresses. */
    SELECT
        own.router AS router,
        countIf(f.sends AND f.ms <= own.last) AS sent_before,
        countIf(f.sends AND f.ms > own.last + {lag:Int64}) AS sent_after,
        countIf(NOT f.sends AND f.ms > own.last + {lag:Int64}) AS got_after,
        toUInt64(0) AS passed_before, toUInt64(0) AS passed_after,
        groupUniqArrayIf(20)(f.exporter, f.ms > own.last + {lag:Int64}) AS seen_by
    FROM
    (
        SELECT w.exporter AS exporter, toUnixTimestamp64Milli(w.received_at) AS ms, arrayJoin([(w.src_addr, true), (w.dst_addr, false)]) AS end,
            end.1 AS address, end.2 AS sends
        FROM watched_flows AS w
        WHERE w.received_at >= {since:DateTime64(3)} AND w.received_at < {until:DateTime64(3)}
            AND (w.src_addr IN (SELECT toIPv6(arrayJoin({addresses:Array(String)}))) OR w.dst_addr IN (SELECT toIPv6(arrayJoin({addresses:Array(String)}))))
    ) AS f
    INNER JOIN own ON f.address = own.address
    WHERE f.exporter != own.router AND f.ms > own.last - {hour:Int64}
    GROUP BY router

    UNION ALL

    /* Of what it reported itself before. */
    SELECT
        p.router AS router,
        toUInt64(0) AS sent_before, toUInt64(0) AS sent_after, toUInt64(0) AS got_after,
        countIf(f.ms <= p.last) AS passed_before,
        countIf(f.ms > p.last + {lag:Int64}) AS passed_after,
        groupUniqArrayIf(20)(f.exporter, f.ms > p.last + {lag:Int64}) AS seen_by
    FROM
    (
        SELECT w.exporter AS exporter, toUnixTimestamp64Milli(w.received_at) AS ms, w.src_addr AS src, w.dst_addr AS dst
        FROM watched_flows AS w
        WHERE w.received_at >= {since:DateTime64(3)} AND w.received_at < {until:DateTime64(3)}
    ) AS f
    GLOBAL INNER JOIN
    (
        SELECT DISTINCT quiet.router AS router, quiet.last AS last, w.src_addr AS src, w.dst_addr AS dst
        FROM watched_flows AS w
        INNER JOIN quiet ON w.exporter = quiet.router
        WHERE w.received_at >= {since:DateTime64(3)} AND w.received_at < {until:DateTime64(3)}
            AND toUnixTimestamp64Milli(w.received_at) BETWEEN quiet.last - {hour:Int64} AND quiet.last
            AND (empty({interfaces:Array(UInt32)}) OR has({interfaces:Array(UInt32)}, w.in_if) OR has({interfaces:Array(UInt32)}, w.out_if))
    ) AS p ON f.src = p.src AND f.dst = p.dst
    WHERE f.exporter != p.router AND f.ms > p.last - {hour:Int64}
    GROUP BY router
) AS x
GROUP BY router
