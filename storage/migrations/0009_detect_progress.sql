CREATE TABLE IF NOT EXISTS {{.Table "detect_progress"}}
(
    detector LowCardinality(String) COMMENT 'Name of the detector.',
    window_end DateTime64(3, 'UTC') COMMENT 'Everything before this stream time has been detected.',
    stored_at DateTime64(3, 'UTC') COMMENT 'When, by the clock of the detector.'
)
ENGINE = {{.Engine "ReplacingMergeTree" "window_end"}}
ORDER BY detector
COMMENT 'How far each detector has come; live detection resumes here.'
