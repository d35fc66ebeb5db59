-- One row if the window holds a flow that the filter selects.
SELECT toUInt8(1) AS active
FROM watched_flows
WHERE received_at >= {start:DateTime64(3)} AND received_at < {end:DateTime64(3)}
    AND ({filter})
LIMIT 1
