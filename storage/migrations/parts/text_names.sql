    start_at, end_at,
    transform(protocol, protocol_list.1, protocol_list.2, toString(protocol)) AS protocol_name,
    /* Of the end that was asked; where a record alone does not tell, of the lower port. */
    transform(toUInt32(protocol) * 65536 + multiIf(initiator = 'src', dst_port, initiator = 'dst', src_port, least(src_port, dst_port)),
        service_list.1, service_list.2, '') AS service_name,
    transform(src_country, country_list.1, country_list.2, src_country) AS src_country_name,
    transform(dst_country, country_list.1, country_list.2, dst_country) AS dst_country_name