CREATE TABLE IF NOT EXISTS {{.Table "indicators"}}
(
    list LowCardinality(String) COMMENT 'Intelligence list, as in the configuration.' CODEC(ZSTD(1)),
    indicator String COMMENT 'Address or prefix, as in src_intel and dst_intel after the colon.' CODEC(ZSTD(1)),
    changed_at DateTime64(3, 'UTC') COMMENT 'Since when this is so, by the clock of the tapwatch that read the list.' CODEC(ZSTD(1)),
    learned_at DateTime64(3, 'UTC') COMMENT 'When tapwatch learned of it: flows before were not marked as they came in, and are matched from here.' CODEC(ZSTD(1)),
    withdrawn_at DateTime64(3, 'UTC') COMMENT 'When the list was first without it; 1970: it has it.' CODEC(ZSTD(1)),
    valid_from DateTime64(3, 'UTC') COMMENT 'Since when it holds; 1970: ever since.' CODEC(ZSTD(1)),
    valid_until DateTime64(3, 'UTC') COMMENT 'From when on it does not hold any more; 1970: for good.' CODEC(ZSTD(1)),
    description String COMMENT 'What was seen there, by the list.' CODEC(ZSTD(1)),
    actor String COMMENT 'Who is behind it, be it a group or a family of malware, by the list.' CODEC(ZSTD(1)),
    confidence UInt8 COMMENT 'How sure its author is, 1 to 100; 0 not said.' CODEC(ZSTD(1))
)
ENGINE = {{.Engine "ReplacingMergeTree"}}
ORDER BY (list, indicator, changed_at)
COMMENT 'What intelligence lists held and since when, one row for each change. Kept for good: an indicator that comes back is not matched twice.'
