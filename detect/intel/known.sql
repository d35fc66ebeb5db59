-- What lists said of some indicators as of a moment: the last word before it.
--
-- lists, indicators   of which
-- before              the moment
SELECT list, indicator, changed_at, learned_at, withdrawn_at, valid_from, valid_until, description, actor, confidence
FROM indicators
WHERE list IN {lists:Array(String)} AND indicator IN {indicators:Array(String)} AND changed_at < {before:DateTime64(3)}
ORDER BY list, indicator, changed_at DESC
LIMIT 1 BY list, indicator
