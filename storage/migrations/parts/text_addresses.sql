    replaceRegexpOne(toString(src_addr), '^::ffff:([0-9.]+)$', '\\1') AS src_addr,
    replaceRegexpOne(toString(dst_addr), '^::ffff:([0-9.]+)$', '\\1') AS dst_addr,
    replaceRegexpOne(toString(next_hop), '^::ffff:([0-9.]+)$', '\\1') AS next_hop,
    replaceRegexpOne(toString(src_addr_nat), '^::ffff:([0-9.]+)$', '\\1') AS src_addr_nat,
    replaceRegexpOne(toString(dst_addr_nat), '^::ffff:([0-9.]+)$', '\\1') AS dst_addr_nat,
    replaceRegexpOne(toString(inner_src_addr), '^::ffff:([0-9.]+)$', '\\1') AS inner_src_addr,
    replaceRegexpOne(toString(inner_dst_addr), '^::ffff:([0-9.]+)$', '\\1') AS inner_dst_addr