-- The contacts of some sources with the targets that they had not met before the time
-- that counts as new: one row for each source and target. Only what no sampling blurs
-- counts, but for addresses at which nothing stands: what is sent there always fails.
WITH
    toDateTime({since:DateTime64(3)}, 'UTC') AS since,
    toDateTime({fresh:DateTime64(3)}, 'UTC') AS fresh,
    toDateTime({end:DateTime64(3)}, 'UTC') AS until,
    if(initiator = 'peer', peer_addr, asset_addr) AS source_addr,
    if(initiator = 'peer', asset_addr, peer_addr) AS target_addr,
    if(initiator = 'peer', asset_name, peer_name) AS target_name,
    if(initiator = 'peer', asset_zone, peer_zone) AS target_zone,
    if(initiator = 'peer', asset_zone_kind, peer_zone_kind) AS target_kind,
    initiator = 'peer' OR target_kind IN ('lawful-intercept', 'core', 'management', 'infrastructure') AS target_protected,
    target_protected AND target_name = '' AND target_zone != '' AS target_dark,
    if(initiator = 'peer', peer_zone, asset_zone) AS source_zone,
    (protocol = 6 AND least_sampling <= 1) OR (target_dark AND protocol IN (1, 6, 17, 58, 132) AND port NOT IN (161, 10161)) AS tells,
    if(protocol = 6, established, answered) AS succeeded,
    {unreachable:target_addr} AS unreachable
SELECT
    source_addr AS source,
    target_addr AS target,
    min(first_seen) AS first,
    max(succeeded) > 0 AS success,
    argMin(protocol, hour) AS service_protocol,
    argMin(port, hour) AS service_port,
    argMax(source_zone, hour) AS from_zone,
    argMax(if(initiator = 'peer', peer_zone_kind, asset_zone_kind), hour) AS from_kind,
    argMax(if(initiator = 'peer', peer_name, asset_name), hour) AS from_name,
    argMax(if(initiator = 'peer', peer_role, asset_role), hour) AS from_role,
    argMax(target_zone, hour) AS to_zone,
    argMax(target_kind, hour) AS to_kind,
    argMax(target_name, hour) AS to_name,
    argMax(if(initiator = 'peer', asset_role, peer_role), hour) AS to_role,
    max(target_dark) AS dark
FROM pair_hours
PREWHERE hour >= since AND hour < until AND (peer_addr IN {sources:Array(IPv6)} OR asset_addr IN {sources:Array(IPv6)})
WHERE initiator != '' AND target_protected AND (source_zone != '' OR unreachable) AND source_addr IN {sources:Array(IPv6)}
GROUP BY source, target
HAVING min(hour) >= fresh AND (success OR countIf(tells AND succeeded = 0) > 0)
ORDER BY source, first, target
