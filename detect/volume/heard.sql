-- The hours of which anything at all is known: only in these does silence mean that
-- nothing was sent.
SELECT toDateTime(intDiv(toUnixTimestamp(hour), {step:UInt32}) * {step:UInt32}, 'UTC') AS at
FROM pair_hours
PREWHERE hour >= {since:DateTime64(3)} AND hour < {end:DateTime64(3)}
    {which_hours}
GROUP BY at
ORDER BY at
