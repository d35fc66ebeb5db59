CREATE MATERIALIZED VIEW IF NOT EXISTS watched_flows_feed TO {{.Table "watched_flows"}}
AS SELECT
    if(if(f.asset_end = 'src', f.src_asset, f.dst_asset) != '', if(f.asset_end = 'src', f.src_asset, f.dst_asset), replaceRegexpOne(toString(if(f.asset_end = 'src', f.src_addr, f.dst_addr)), '^::ffff:([0-9.]+)$', '\\1')) AS asset,
    if(f.asset_end = 'src', f.dst_addr, f.src_addr) AS peer,
    f.*
FROM {{.Table "flows"}} AS f
WHERE f.watched
