WITH
    /* Names as people say them; empty where a number has none. */
    (SELECT (groupArray(number), groupArray(name)) FROM protocols) AS protocol_list,
    (SELECT (groupArray(toUInt32(protocol) * 65536 + port), groupArray(name)) FROM services) AS service_list,
    (SELECT (groupArray(code), groupArray(name)) FROM countries) AS country_list