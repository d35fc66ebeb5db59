-- How many indicators lists held at a moment.
SELECT count() AS indicators
FROM
(
    SELECT withdrawn_at, valid_until
    FROM indicators
    WHERE changed_at < {at:DateTime64(3)}
    ORDER BY changed_at DESC
    LIMIT 1 BY list, indicator
)
WHERE withdrawn_at = toDateTime64(0, 3, 'UTC') AND (valid_until = toDateTime64(0, 3, 'UTC') OR valid_until > {at:DateTime64(3)})
