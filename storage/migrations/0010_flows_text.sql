CREATE OR REPLACE VIEW flows_text AS
SELECT * REPLACE (
    replaceOne(toString(exporter), '::ffff:', '') AS exporter,
    replaceOne(toString(src_addr), '::ffff:', '') AS src_addr,
    replaceOne(toString(dst_addr), '::ffff:', '') AS dst_addr,
    replaceOne(toString(next_hop), '::ffff:', '') AS next_hop
)
FROM flows
