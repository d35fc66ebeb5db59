-- title: Who asks many devices over SNMP
-- finds: Addresses other than the network management that sent SNMP to several protected systems within ten minutes, by how many they asked.
-- technique: T1602.001 SNMP (MIB Dump)
-- technique: T1046 Network Service Discovery
-- param: role String = nms; role of the stations that may ask
-- param: min Number = 5; how many systems asked within ten minutes make a fan-out
-- param: since Time = 7d; from when on
-- param: until Time = 0s; up to when
-- param: limit Number = 100; rows at most

WITH
a -> replaceRegexpOne(toString(a), '^::ffff:([0-9.]+)$', '\\1') AS text,
-- Questions, and answers, which tell of the question where the router that asks does not
-- meter its own packets.
asked AS
(
    SELECT
        if(question, src_addr, dst_addr) AS source_addr,
        toStartOfInterval(received_at, INTERVAL 10 MINUTE) AS moment,
        dst_port IN (161, 10161) AS question,
        any(if(question, src_asset, dst_asset)) AS name,
        any(if(question, src_zone, dst_zone)) AS zone,
        any(if(question, src_country, dst_country)) AS country,
        groupUniqArray(1000)(if(question, dst_addr, src_addr)) AS targets,
        groupUniqArrayIf(1000)(src_addr, NOT question) AS answering,
        min(received_at) AS first_seen, max(received_at) AS last_seen
    FROM watched_flows
    WHERE received_at >= {since:DateTime64(3, 'UTC')} AND received_at < {until:DateTime64(3, 'UTC')}
        AND protocol = 17 AND (dst_port IN (161, 10161) OR src_port IN (161, 10161))
        AND if(dst_port IN (161, 10161), src_role, dst_role) != {role:String}
    GROUP BY source_addr, moment, question
)
SELECT
    text(source_addr) AS source,
    any(a.name) AS source_asset,
    any(a.zone) AS source_zone,
    any(a.country) AS country,
    length(arrayDistinct(arrayFlatten(groupArray(a.targets)))) AS systems_asked,
    length(arrayDistinct(arrayFlatten(groupArray(a.answering)))) AS systems_that_answered,
    arraySlice(arraySort(arrayMap(t -> text(t), arrayDistinct(arrayFlatten(groupArray(a.targets))))), 1, 20) AS some_of_them,
    min(a.first_seen) AS first_seen,
    max(a.last_seen) AS last_seen
FROM asked AS a
GROUP BY source_addr, moment
HAVING systems_asked >= {min:UInt64}
ORDER BY systems_that_answered DESC, systems_asked DESC, first_seen
LIMIT {limit:UInt64}
