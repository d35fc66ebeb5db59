-- A month of 10,000 pairs that are active in every hour: 200 systems of the core with 50
-- peers each, of which 20 are outside. The first ten systems send 60 MB an hour outside,
-- the others 2 MB.
INSERT INTO pair_hours (hour, asset, asset_name, asset_addr, asset_zone, asset_zone_kind, asset_role,
    peer_addr, peer_name, peer_zone, peer_zone_kind, peer_asn, protocol, port, asset_serves, initiator,
    bytes_in, bytes_out, packets_in, packets_out, least_sampling)
SELECT
    {start:DateTime64(3)} + INTERVAL intDiv(number, 10000) HOUR,
    concat('host-', toString(intDiv(number, 50) % 200)) AS name, name,
    toIPv6(concat('::ffff:10.40.8.', toString(intDiv(number, 50) % 200))),
    'core-east', 'core', if(intDiv(number, 50) % 200 < 20, 'hss', 'mme'),
    toIPv6(if(number % 50 < 20, concat('::ffff:198.18.', toString(number % 50), '.', toString(intDiv(number, 50) % 100)),
        concat('::ffff:10.20.0.', toString(number % 50)))),
    if(number % 50 < 20, '', concat('tool-', toString(number % 50))),
    if(number % 50 < 20, '', 'management'), if(number % 50 < 20, '', 'management'),
    if(number % 50 < 20, 64000 + intDiv(number, 50) % 40, 0),
    6, 443, false, 'asset',
    toUInt64((100000 + cityHash64(number) % 50000)),
    toUInt64((100000 + cityHash64(number) % 50000) * if(intDiv(number, 50) % 200 < 10 AND number % 50 < 20, 25, 1)),
    1000, 1000, 1
FROM numbers({rows:UInt64})
