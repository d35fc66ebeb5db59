-- A pair's two directions, each as sent by one end to the other. The query adds
-- ARRAY JOIN [false, true] AS turned.
    if(turned, peer_name, asset_name) AS from_name,
    if(turned, peer_addr, asset_addr) AS from_addr,
    if(turned, peer_zone, asset_zone) AS from_zone,
    if(turned, peer_zone_kind, asset_zone_kind) AS from_kind,
    if(turned, peer_role, asset_role) AS from_role,
    if(turned, asset_name, peer_name) AS to_name,
    if(turned, asset_addr, peer_addr) AS to_addr,
    if(turned, asset_zone, peer_zone) AS to_zone,
    if(turned, asset_zone_kind, peer_zone_kind) AS to_kind,
    if(turned, asset_role, peer_role) AS to_role,
    if(turned, '', peer_country) AS receiver_country,
    if(turned, 0, peer_asn) AS receiver_asn,
    if(turned, '', peer_as_org) AS receiver_as_org,
    if(turned, bytes_in, bytes_out) AS sent,
    if(turned, bytes_out, bytes_in) AS received,
    multiIf(initiator = '', '', (initiator = 'peer') = turned, 'from', 'to') AS opened,
    asset_serves != turned AS from_serves,
    /* An asset may have several addresses; what has no name is told by its address. */
    if(from_name = '', from_addr, toIPv6('::')) AS from_key,
    if(to_name = '', to_addr, toIPv6('::')) AS to_key,
    /* /24 of IPv4, /48 of IPv6: addresses that are interchangeable to whoever rents them. */
    tupleElement(IPv6CIDRToRange(to_addr, toUInt8(if(to_addr >= toIPv6('::ffff:0.0.0.0') AND to_addr <= toIPv6('::ffff:255.255.255.255'), 120, 48))), 1) AS to_network,
    /* It leaves: to where nothing is protected; or from lawful intercept or the core to another kind of zone. */
    from_zone IN {protected:Array(String)} AND (to_zone NOT IN {protected:Array(String)}
        OR from_kind IN ('lawful-intercept', 'core') AND to_kind NOT IN (from_kind, 'lawful-intercept')) AS leaves
