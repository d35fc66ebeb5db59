-- title: Alerts of an asset, with their evidence
-- finds: What the detectors said of an asset, worst first: who, why, how much, and the query that shows the flows.
-- technique: T1078 Valid Accounts
-- param: asset String; asset of the inventory
-- param: since Time = 30d; an alert must have been seen after this
-- param: until Time = 0s; up to when
-- param: limit Number = 200; rows at most

WITH
a -> replaceRegexpOne(toString(a), '^::ffff:([0-9.]+)$', '\\1') AS text,
n -> transform(n, [1, 4, 6, 17, 41, 47, 50, 51, 58, 115, 132],
    ['icmp', 'ipip', 'tcp', 'udp', 'ip6in4', 'gre', 'esp', 'ah', 'icmpv6', 'l2tp', 'sctp'], toString(n)) AS name_of
SELECT
    severity,
    title,
    detector,
    rule,
    first_seen,
    last_seen,
    text(peer_addr) AS peer,
    peer_asset,
    peer_country,
    peer_as_org AS peer_organisation,
    name_of(protocol) AS protocol_name,
    port,
    flows,
    bytes_to_asset,
    bytes_to_peer,
    reasons,
    quality AS doubts,
    next_steps,
    technique_ids AS techniques,
    exporters AS seen_by,
    id,
    sql AS evidence
FROM alerts
-- A device may also be the other end of an alert that is about something better protected.
WHERE (asset = {asset:String} OR peer_asset = {asset:String})
    AND last_seen >= {since:DateTime64(3, 'UTC')} AND first_seen < {until:DateTime64(3, 'UTC')}
ORDER BY severity DESC, last_seen DESC
LIMIT {limit:UInt64}
