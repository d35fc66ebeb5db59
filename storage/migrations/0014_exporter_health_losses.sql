ALTER TABLE exporter_health
    ADD COLUMN IF NOT EXISTS lost_records UInt64 COMMENT 'Flow records of the interval that did not arrive, by gaps in the sequence numbers (NetFlow v5, v7, IPFIX).' AFTER options_records,
    ADD COLUMN IF NOT EXISTS lost_datagrams UInt64 COMMENT 'Datagrams of the interval that did not arrive, by gaps in the sequence numbers (NetFlow v9, sFlow).' AFTER lost_records,
    ADD COLUMN IF NOT EXISTS late_datagrams UInt64 COMMENT 'Datagrams that arrived after ones that were sent later.' AFTER lost_datagrams,
    ADD COLUMN IF NOT EXISTS restarts UInt64 COMMENT 'How often in the interval the exporter began to number anew.' AFTER late_datagrams,
    ADD COLUMN IF NOT EXISTS waiting_sets UInt32 COMMENT 'Data sets that wait for their template at the end of the interval.' AFTER dropped
