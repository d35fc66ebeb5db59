CREATE TABLE IF NOT EXISTS {{.Table "incidents"}}
(
    id String COMMENT 'Identity: a hash of that of the earliest alert.',
    absorbed_into String COMMENT 'The incident that this one became a part of; empty for all others. Leave out those where it is not.',
    absorbed Array(String) COMMENT 'The incidents that became a part of this one.',
    title String COMMENT 'Title of the worst alert.',
    severity Enum8('low' = 1, 'medium' = 2, 'high' = 3, 'critical' = 4) COMMENT 'Severity of the worst alert.',
    risk Float64 COMMENT 'How much of an intrusion is to be seen, 0 to 100: grows with the variety of tactics, not with repetition.',
    first_seen DateTime64(3, 'UTC') COMMENT 'First evidence, in stream time.',
    last_seen DateTime64(3, 'UTC') COMMENT 'Last evidence, in stream time.',
    assets Array(String) COMMENT 'Names, or else addresses, of the protected ends.',
    peers Array(String) COMMENT 'Addresses of the other ends, with their names where they have one.',
    countries Array(LowCardinality(String)) COMMENT 'Countries of the peers.',
    detectors Array(LowCardinality(String)) COMMENT 'Detectors that raised its alerts.',
    alert_ids Array(String) COMMENT 'Its alerts: id of the view alerts.',
    lead_ids Array(String) COMMENT 'For each of alert_ids the worst alert about the same asset, peer and port.',
    tactics Array(LowCardinality(String)) COMMENT 'Tactics of ATT&CK in the order in which they were first seen, for the four columns that follow.',
    tactic_first_seen Array(DateTime64(3, 'UTC')) COMMENT 'First evidence of each tactic.',
    tactic_last_seen Array(DateTime64(3, 'UTC')) COMMENT 'Last evidence of each tactic.',
    tactic_techniques Array(Array(String)) COMMENT 'Techniques seen of each tactic.',
    tactic_alert_ids Array(Array(String)) COMMENT 'Alerts that show each tactic, the first seen first.',
    version UInt64 COMMENT 'Twice that of its latest alert, plus one where it was absorbed.'
)
ENGINE = {{.Engine "ReplacingMergeTree" "version"}}
ORDER BY id
COMMENT 'Alerts about the same asset or peer within a time, together. Read it with FINAL and absorbed_into = empty.'
