-- The indicators that came new in a time, or whose validity grew, with all that was said
-- of them before, the oldest first.
--
-- start, end   the time, half-open, by learned_at
SELECT list, indicator, changed_at, learned_at, withdrawn_at, valid_from, valid_until, description, actor, confidence
FROM indicators
WHERE (list, indicator) GLOBAL IN
    (
        SELECT list, indicator FROM indicators
        WHERE learned_at >= {start:DateTime64(3)} AND learned_at < {end:DateTime64(3)} AND changed_at = learned_at
    )
    AND changed_at < {end:DateTime64(3)}
ORDER BY list, indicator, changed_at
