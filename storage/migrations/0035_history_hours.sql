CREATE TABLE IF NOT EXISTS {{.Table "history_hours"}}
(
    hour DateTime('UTC') COMMENT 'Start of the hour of stream time.',
    records UInt64 COMMENT 'Watched flow records that sessions and pair_hours of the hour were made from.',
    stored_at DateTime64(3, 'UTC') COMMENT 'When, by the clock of the maker.'
)
ENGINE = {{.Engine "ReplacingMergeTree" "stored_at"}}
ORDER BY hour
COMMENT 'Which hours of sessions and pair_hours are complete, and how many records they stand for. An hour that has got more since is made anew by tapwatch baseline rebuild.'
