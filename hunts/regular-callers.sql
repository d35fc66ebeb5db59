-- title: Who calls out at a steady beat
-- finds: Outside services that a protected system calls again and again at even intervals: score 1 is a clock, chance gives about a half.
-- technique: T1071 Application Layer Protocol
-- technique: T1573 Encrypted Channel
-- param: min Number = 20; how many calls at least
-- param: score Number = 70; the least score, in hundredths
-- param: gap Duration = 5m; the longest silence within a call
-- param: since Time = 24h; from when on
-- param: until Time = 0s; up to when
-- param: limit Number = 100; rows at most

WITH
a -> replaceRegexpOne(toString(a), '^::ffff:([0-9.]+)$', '\\1') AS text,
n -> transform(n, [1, 4, 6, 17, 41, 47, 50, 51, 58, 115, 132],
    ['icmp', 'ipip', 'tcp', 'udp', 'ip6in4', 'gre', 'esp', 'ah', 'icmpv6', 'l2tp', 'sctp'], toString(n)) AS name_of,
-- Both directions of a call, as the client's: what several routers or records tell of the
-- same minute is one part.
parts AS
(
    SELECT
        (initiator = 'src' OR (initiator = 'unknown' AND (src_port, src_addr) > (dst_port, dst_addr))) AS forward,
        if(forward, src_addr, dst_addr) AS client_addr, if(forward, dst_addr, src_addr) AS server_addr,
        protocol, if(forward, dst_port, src_port) AS port, if(forward, src_port, dst_port) AS client_port,
        toStartOfMinute(if(toYear(start_at) > 1970, start_at, received_at)) AS minute,
        any(if(forward, src_asset, dst_asset)) AS client_name, any(if(forward, src_zone, dst_zone)) AS zone,
        any(if(forward, dst_country, src_country)) AS country, any(if(forward, dst_as_org, src_as_org)) AS organisation,
        min(if(toYear(start_at) > 1970, start_at, received_at)) AS began, max(if(toYear(end_at) > 1970, end_at, received_at)) AS ended
    FROM watched_flows
    WHERE received_at >= {since:DateTime64(3, 'UTC')} AND received_at < {until:DateTime64(3, 'UTC')}
        AND if(forward, src_zone, dst_zone) != '' AND if(forward, dst_zone, src_zone) = ''
        AND protocol IN (6, 17) AND (protocol != 6 OR bitAnd(tcp_flags, 24) = 24 OR (bitAnd(tcp_flags, 4) = 0 AND bytes > packets * 90))
    GROUP BY forward, client_addr, server_addr, protocol, port, client_port, minute
),
-- An active timeout turns any long session into a perfect beacon: only what follows a
-- silence of these ends and ports is a new call.
opened AS
(
    SELECT
        *,
        began > max(ended) OVER (PARTITION BY client_addr, server_addr, protocol, port, client_port
            ORDER BY began, ended ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) + toIntervalSecond({gap:UInt64}) AS opens
    FROM parts
),
beats AS
(
    SELECT
        client_addr, server_addr, protocol, port,
        any(client_name) AS client_name, any(zone) AS zone, any(country) AS country, any(organisation) AS organisation,
        -- Both directions of a call begin within seconds of one another.
        arraySort(groupUniqArray(toUnixTimestamp(began))) AS starts,
        arrayFilter(gap -> gap > 2, arrayPopFront(arrayDifference(starts))) AS gaps,
        arrayReduce('quantilesExact(0.25, 0.5, 0.75)', gaps) AS quarters,
        arrayReduce('medianExact', arrayMap(gap -> abs(gap - quarters[2]), gaps)) AS deviation,
        -- As RITA does: how symmetric the intervals are about their median, and how close to it.
        if(quarters[3] - quarters[1] < 10 OR quarters[2] IN (quarters[1], quarters[3]), 0,
            abs((quarters[1] + quarters[3] - 2 * quarters[2]) / (quarters[3] - quarters[1]))) AS skew,
        (1 - skew + greatest(0, (quarters[2] - deviation) / quarters[2])) / 2 AS evenness
    FROM opened
    WHERE opens
    GROUP BY client_addr, server_addr, protocol, port
    HAVING length(gaps) + 1 >= {min:UInt64}
)
SELECT
    if(client_name = '', text(client_addr), client_name) AS client,
    zone,
    text(server_addr) AS server,
    name_of(protocol) AS protocol_name,
    port,
    country,
    organisation,
    length(gaps) + 1 AS calls_made,
    quarters[2] AS median_seconds,
    deviation AS deviation_seconds,
    round(evenness, 2) AS score,
    toDateTime(starts[1], 'UTC') AS first_call,
    toDateTime(starts[-1], 'UTC') AS last_call
FROM beats
WHERE evenness * 100 >= {score:UInt64}
ORDER BY score DESC, calls_made DESC
LIMIT {limit:UInt64}
