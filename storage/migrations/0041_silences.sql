CREATE TABLE IF NOT EXISTS {{.Table "silences"}}
(
    id String COMMENT 'Identity, random.',
    detector LowCardinality(String) COMMENT 'Alerts of this detector alone; empty: of any.',
    rule LowCardinality(String) COMMENT 'Alerts of this rule of the detector alone; empty: of any.',
    asset String COMMENT 'Alerts about the asset of this name or address alone; empty: about any.',
    peer String COMMENT 'Alerts whose peer is in this prefix alone; empty: any.',
    port UInt16 COMMENT 'Alerts about this service port alone; 0: any.',
    reason String COMMENT 'Why.',
    owner String COMMENT 'Who answers for it.',
    created_at DateTime64(3, 'UTC') COMMENT 'From when on it is in force, by the clock.',
    expires_at DateTime64(3, 'UTC') COMMENT 'Until when.',
    ended_at DateTime64(3, 'UTC') COMMENT 'When somebody ended it before; 1970 nobody did.',
    version UInt64 COMMENT 'Grows with every change.'
)
ENGINE = {{.Engine "ReplacingMergeTree" "version"}}
ORDER BY id
COMMENT 'Which alerts are kept out of sight for a time. Kept for the record; read it with FINAL.'
