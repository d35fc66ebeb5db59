-- Folds the watched flows of a window into conversations: one row for each pair
-- of ends, protocol, service port and initiator that was active in the window.
--
-- start, end   the window, half-open, by received_at
-- since        how far back evidence is looked for (an answer may be exported
--              minutes before or after the question)
-- protected    names of the protected zones
-- attempts     true: also what was tried and never established
-- (filter)     a condition on the columns of watched_flows
--
-- GLOBAL: of a cluster's nodes each has a part of the flows.
WITH
-- Who was active in the window. Of the time before it, nothing else is read.
active AS
(
    SELECT DISTINCT least(src_addr, dst_addr) AS a, greatest(src_addr, dst_addr) AS b
    FROM watched_flows
    WHERE received_at >= {start:DateTime64(3)} AND received_at < {end:DateTime64(3)}
        AND ({filter})
),
-- Their records, with what a single one tells.
marked AS
(
    SELECT
        received_at, start_at, exporter, direction, protocol, sampling_interval, bytes, packets, tcp_flags,
        src_addr, dst_addr, icmp_type, initiator,
        protocol IN (6, 17, 33, 132, 136) AS has_ports,
        if(has_ports, src_port, 0) AS from_port,
        if(has_ports, dst_port, 0) AS to_port,
        multiIf(src_zone_kind = 'lawful-intercept', 3, has({protected:Array(String)}, src_zone), 2, src_zone != '', 1, 0) AS src_rank,
        multiIf(dst_zone_kind = 'lawful-intercept', 3, has({protected:Array(String)}, dst_zone), 2, dst_zone != '', 1, 0) AS dst_rank,
        tuple(received_at, src_zone::String, src_zone_kind::String, src_asset::String, src_role::String,
              src_country::String, src_asn, src_as_org::String, src_intel::String) AS src_end,
        tuple(received_at, dst_zone::String, dst_zone_kind::String, dst_asset::String, dst_role::String,
              dst_country::String, dst_asn, dst_as_org::String, dst_intel::String) AS dst_end,
        -- More than headers: 60 bytes is the longest bare TCP packet over IPv4.
        bytes > packets * if(ip_version = 6, 80, 60) AS big,
        bitAnd(tcp_flags, 2) != 0 AS syn_bit,
        bitAnd(tcp_flags, 4) != 0 AS rst_bit,
        bitAnd(tcp_flags, 8) != 0 AS psh_bit,
        bitAnd(tcp_flags, 16) != 0 AS ack_bit,
        (protocol = 1 AND icmp_type IN (3, 4, 5, 11, 12)) OR (protocol = 58 AND icmp_type BETWEEN 1 AND 4) AS icmp_error,
        (protocol = 1 AND icmp_type IN (0, 10, 14, 16, 18)) OR (protocol = 58 AND icmp_type IN (129, 136)) AS icmp_reply
    FROM watched_flows
    WHERE received_at >= {since:DateTime64(3)} AND received_at < {end:DateTime64(3)}
        AND ({filter})
        AND (least(src_addr, dst_addr), greatest(src_addr, dst_addr)) GLOBAL IN (SELECT a, b FROM active)
),
-- Which router exported something that an address sent, of every packet.
senders AS
(
    SELECT DISTINCT exporter, src_addr
    FROM watched_flows
    WHERE received_at >= {since:DateTime64(3)} AND received_at < {end:DateTime64(3)} AND sampling_interval <= 1
        AND src_addr GLOBAL IN (SELECT arrayJoin([a, b]) FROM active)
),
-- The same, told apart into its ends: the better protected one is the asset.
records AS
(
    SELECT
        received_at,
        received_at >= {start:DateTime64(3)} AS inside,
        if(start_at > toDateTime64('1971-01-01 00:00:00', 3, 'UTC'), start_at, received_at) AS started_at,
        exporter, direction, protocol, sampling_interval, bytes, packets, tcp_flags, big,
        (dst_rank, dst_addr, to_port) > (src_rank, src_addr, from_port) AS to_asset,
        if(to_asset, dst_addr, src_addr) AS asset_addr,
        if(to_asset, src_addr, dst_addr) AS peer_addr,
        if(to_asset, to_port, from_port) AS asset_port,
        if(to_asset, from_port, to_port) AS peer_port,
        if(to_asset, dst_end, src_end) AS asset_end,
        if(to_asset, src_end, dst_end) AS peer_end,
        src_rank >= 2 AS from_protected,
        protocol = 6 AND ack_bit AND (psh_bit OR (big AND NOT rst_bit)) AS data,
        protocol = 6 AND ack_bit AND (syn_bit OR psh_bit OR big OR NOT rst_bit) AS answer,
        protocol = 6 AND syn_bit AND NOT ack_bit AS syn,
        -- The beginning of one direction, by the router's clock: of two, the earlier opened.
        if(protocol = 6 AND syn_bit AND start_at > toDateTime64('1971-01-01 00:00:00', 3, 'UTC'),
            toUnixTimestamp64Milli(start_at), NULL) AS opened_at,
        protocol NOT IN (6, 132) AND NOT icmp_error AND NOT icmp_reply AS sent,
        protocol NOT IN (6, 132) AND NOT icmp_error AS heard,
        -- Data of one direction alone is proof when the sender is ours, when packets
        -- are sampled, or when this router does not export the way back.
        src_rank >= 2 OR sampling_interval > 1 OR (exporter, dst_addr) GLOBAL NOT IN (SELECT exporter, src_addr FROM senders) AS alone_will_do,
        if(initiator = 'unknown', 0, if((initiator = 'src') = to_asset, 1, -1)) AS peer_opened
    FROM marked
),
-- One direction of one session, as one exporter saw it at one of its sides.
reported AS
(
    SELECT
        asset_addr, asset_port, peer_addr, peer_port, protocol, to_asset, exporter, direction,
        countIf(r.inside) AS flows,
        sumIf(r.bytes * greatest(r.sampling_interval, 1), r.inside) AS bytes,
        sumIf(r.packets * greatest(r.sampling_interval, 1), r.inside) AS packets,
        sum(r.packets * greatest(r.sampling_interval, 1)) AS packets_ever,
        minIf(r.received_at, r.inside) AS first_seen,
        maxIf(r.received_at, r.inside) AS last_seen,
        min(r.started_at) AS started_at,
        max(r.inside AND r.sampling_interval = 0) AS unsampled,
        maxIf(r.sampling_interval, r.inside) AS sampling,
        max(r.asset_end) AS asset_end,
        max(r.peer_end) AS peer_end,
        max(r.big) AS big,
        max(r.data) AS data,
        max(r.answer) AS answer,
        max(r.syn) AS syn,
        min(r.opened_at) AS opened_at,
        max(protocol = 6 AND r.tcp_flags = 0) AS flagless,
        max(r.sent) AS sent,
        max(r.sent AND r.from_protected) AS sent_by_ours,
        max(r.heard) AS heard,
        max(r.data AND r.alone_will_do) AS proof,
        countIf(r.peer_opened = 1) AS peer_votes,
        countIf(r.peer_opened = -1) AS asset_votes
    FROM records AS r
    GROUP BY asset_addr, asset_port, peer_addr, peer_port, protocol, to_asset, exporter, direction
),
-- One direction of one session: several exporters saw the same packets, so the
-- one that samples least, and of those the one that counted most, stands for all.
directed AS
(
    SELECT
        asset_addr, asset_port, peer_addr, peer_port, protocol, to_asset,
        argMinIf((r.bytes, r.flows, r.packets), (if(r.sampling = 0, 4294967295, r.sampling), -toInt64(r.bytes)), r.flows > 0) AS most,
        max(r.packets_ever) AS packets_ever,
        minIf(r.first_seen, r.flows > 0) AS first_seen,
        maxIf(r.last_seen, r.flows > 0) AS last_seen,
        min(r.started_at) AS started_at,
        groupUniqArrayIf(r.exporter, r.flows > 0) AS exporters,
        groupUniqArrayIf(r.exporter, r.unsampled) AS unsampled,
        -- What each exporter alone saw: of its two sides, the one that saw more.
        arraySort(x -> (x.1, -toInt64(x.4)), groupArrayIf((toString(r.exporter), r.sampling, r.flows, r.bytes, r.packets), r.flows > 0)) AS sides,
        arrayFilter((x, i) -> i = 1 OR x.1 != sides[i - 1].1, sides, arrayEnumerate(sides)) AS seen,
        max(r.sampling) AS sampling,
        max(r.asset_end) AS asset_end,
        max(r.peer_end) AS peer_end,
        max(r.big) AS big,
        max(r.data) AS data,
        max(r.answer) AS answer,
        max(r.syn) AS syn,
        groupArrayIf((r.exporter, assumeNotNull(r.opened_at)), r.opened_at IS NOT NULL) AS openings,
        max(r.flagless) AS flagless,
        max(r.sent) AS sent,
        max(r.sent_by_ours) AS sent_by_ours,
        max(r.heard) AS heard,
        max(r.proof) AS proof,
        sum(r.peer_votes) AS peer_votes,
        sum(r.asset_votes) AS asset_votes
    FROM reported AS r
    GROUP BY asset_addr, asset_port, peer_addr, peer_port, protocol, to_asset
),
-- Both directions of one session: "in" is toward the asset, "out" toward the peer.
pairs AS
(
    SELECT
        asset_addr, asset_port, peer_addr, peer_port, protocol,
        sum(d.most.2) AS flows,
        sumIf(d.most.1, d.to_asset) AS bytes_in,
        sumIf(d.most.1, NOT d.to_asset) AS bytes_out,
        sum(d.most.3) AS packets,
        minIf(d.first_seen, d.most.2 > 0) AS first_seen,
        maxIf(d.last_seen, d.most.2 > 0) AS last_seen,
        min(d.started_at) AS started_at,
        groupUniqArrayArray(d.exporters) AS exporters,
        groupUniqArrayArray(d.unsampled) AS unsampled,
        groupArrayArray(arrayMap(x -> (x.1, x.2, x.3, if(d.to_asset, x.4, 0), if(d.to_asset, 0, x.4), x.5), d.seen)) AS seen,
        max(d.sampling) AS sampling,
        max(d.asset_end) AS asset_end,
        max(d.peer_end) AS peer_end,
        maxIf(d.syn, d.to_asset) AS syn_in,
        maxIf(d.syn, NOT d.to_asset) AS syn_out,
        groupArrayArrayIf(d.openings, d.to_asset) AS openings_in,
        groupArrayArrayIf(d.openings, NOT d.to_asset) AS openings_out,
        maxIf(d.data, d.to_asset) AS data_in,
        maxIf(d.data, NOT d.to_asset) AS data_out,
        maxIf(d.answer, d.to_asset) AS answer_in,
        maxIf(d.answer, NOT d.to_asset) AS answer_out,
        maxIf(d.sent, d.to_asset) AS sent_in,
        maxIf(d.sent, NOT d.to_asset) AS sent_out,
        maxIf(d.heard, d.to_asset) AS heard_in,
        maxIf(d.heard, NOT d.to_asset) AS heard_out,
        max(d.sent_by_ours) AS sent_by_ours,
        max(d.proof) AS proof,
        max(d.flagless) AS flagless,
        count() = 2 AND min(d.packets_ever) >= 2 AS both_speak,
        max(d.big) AS some_big,
        min(d.big) AS all_big,
        sum(d.peer_votes) AS peer_votes,
        sum(d.asset_votes) AS asset_votes
    FROM directed AS d
    GROUP BY asset_addr, asset_port, peer_addr, peer_port, protocol
),
-- Who opened it, and whether the other end answered.
judged AS
(
    SELECT
        *,
        arraySum(i -> arraySum(o -> if(i.1 = o.1, sign(o.2 - i.2), 0), openings_out), openings_in) AS earlier_in,
        multiIf(
            protocol = 6, (data_in AND answer_out) OR (data_out AND answer_in) OR (flagless AND both_speak AND some_big),
            protocol = 132, both_speak AND all_big,
            (sent_in AND heard_out) OR (sent_out AND heard_in)) AS answered,
        multiIf(
            protocol NOT IN (1, 6, 17, 33, 58, 132, 136), '',
            syn_in AND NOT syn_out, 'peer',
            syn_out AND NOT syn_in, 'asset',
            -- A port that is known as a service says more than a few milliseconds
            -- between two sampled packets.
            peer_votes > 0 AND asset_votes = 0, 'peer',
            asset_votes > 0 AND peer_votes = 0, 'asset',
            earlier_in > 0, 'peer',
            earlier_in < 0, 'asset',
            '') AS initiator
    FROM pairs
),
sessions AS
(
    SELECT
        *,
        answered OR (protocol = 6 AND proof) OR sent_by_ours AS established,
        -- The service port is the server's; without a known initiator the lower one.
        multiIf(initiator = 'peer', true, initiator = 'asset', false, peer_port = 0, true, asset_port = 0, false,
                asset_port < peer_port) AS asset_serves,
        if(asset_serves, asset_port, peer_port) AS port
    FROM judged
),
-- All sessions between the same ends for the same service.
conversations AS
(
    SELECT
        asset_addr, peer_addr, protocol, port, initiator,
        max(s.asset_serves) AS asset_serves,
        max(s.established AND s.flows > 0) AS established,
        max(s.answered AND s.flows > 0) AS answered,
        max(s.syn_out AND s.flows > 0) AS asset_tried,
        max(s.syn_in AND s.flows > 0) AS peer_tried,
        max(s.data_out AND s.flows > 0) AS asset_spoke,
        max(s.data_in AND s.flows > 0) AS peer_spoke,
        countIf(s.flows > 0) AS sessions,
        minIf(s.first_seen, s.flows > 0) AS first_seen,
        maxIf(s.last_seen, s.flows > 0) AS last_seen,
        minIf(s.started_at, s.flows > 0) AS started_at,
        sum(s.flows) AS flows,
        sum(s.bytes_in) AS bytes_in,
        sum(s.bytes_out) AS bytes_out,
        sum(s.packets) AS packets,
        groupUniqArrayArray(s.exporters) AS exporters,
        groupUniqArrayArray(s.unsampled) AS unsampled,
        groupArrayArray(s.seen) AS seen,
        max(s.sampling) AS sampling,
        max(s.asset_end) AS asset_end,
        max(s.peer_end) AS peer_end
    FROM sessions AS s
    GROUP BY asset_addr, peer_addr, protocol, port, initiator
)
SELECT
    asset_addr, peer_addr, protocol, port, initiator, asset_serves, established, answered, asset_tried, peer_tried, asset_spoke, peer_spoke,
    sessions, first_seen, last_seen, started_at, flows, bytes_in, bytes_out, packets, sampling,
    arrayMap(e -> toString(e), arraySort(conversations.exporters)) AS exporters,
    arrayMap(e -> toString(e), arraySort(conversations.unsampled)) AS unsampled,
    seen.1 AS seen_exporters, seen.2 AS seen_sampling, seen.3 AS seen_flows,
    seen.4 AS seen_bytes_in, seen.5 AS seen_bytes_out, seen.6 AS seen_packets,
    asset_end.2 AS asset_zone, asset_end.3 AS asset_zone_kind, asset_end.4 AS asset_name, asset_end.5 AS asset_role,
    asset_end.6 AS asset_country, asset_end.7 AS asset_asn, asset_end.8 AS asset_as_org, asset_end.9 AS asset_intel,
    peer_end.2 AS peer_zone, peer_end.3 AS peer_zone_kind, peer_end.4 AS peer_name, peer_end.5 AS peer_role,
    peer_end.6 AS peer_country, peer_end.7 AS peer_asn, peer_end.8 AS peer_as_org, peer_end.9 AS peer_intel
FROM conversations
WHERE flows > 0 AND (established OR {attempts:Bool})
ORDER BY asset_addr, peer_addr, protocol, port, initiator
