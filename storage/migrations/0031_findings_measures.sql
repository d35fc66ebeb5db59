ALTER TABLE {{.Table "findings"}}
    ADD COLUMN IF NOT EXISTS confidence Float64 COMMENT 'How sure the detector is that what it names took place, 0 to 1.' AFTER summary,
    ADD COLUMN IF NOT EXISTS measure_names Array(String) COMMENT 'What was measured, for the four columns that follow.' AFTER reasons,
    ADD COLUMN IF NOT EXISTS measure_observed Array(Float64) COMMENT 'What was seen.' AFTER measure_names,
    ADD COLUMN IF NOT EXISTS measure_expected Array(Float64) COMMENT 'What is usual.' AFTER measure_observed,
    ADD COLUMN IF NOT EXISTS measure_units Array(LowCardinality(String)) COMMENT 'Unit of both: bytes, sessions, hosts, seconds; empty: a ratio or a score.' AFTER measure_expected,
    ADD COLUMN IF NOT EXISTS measure_rarities Array(Float64) COMMENT 'How often something at least as unusual is seen where nothing is wrong, 0 to 1; 0 not known.' AFTER measure_units
