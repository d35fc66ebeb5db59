-- When the sources opened sessions before, by the hour of the day and the kind of day.
SELECT
    if(initiator = 'peer', if(peer_name != '', peer_name, toString(peer_addr)), if(asset_name != '', asset_name, toString(asset_addr))) AS source,
    toHour(hour, {zone:String}) AS clock,
    toDayOfWeek(hour, 0, {zone:String}) >= 6 OR has({holidays:Array(String)}, toString(toDate(hour, {zone:String}))) AS is_free,
    sum(begun) AS sessions,
    groupUniqArray(toUInt16(toDate(hour, {zone:String}))) AS dates,
    min(hour) AS first
FROM pair_hours
WHERE hour >= toDateTime({since:DateTime64(3)}, 'UTC') AND hour < toDateTime({end:DateTime64(3)}, 'UTC')
    AND protocol = 6 AND has({ports:Array(UInt16)}, port) AND begun > 0 AND established > 0 AND least_sampling <= 1
    AND (initiator = 'peer' OR (initiator = 'asset' AND peer_zone_kind IN ('lawful-intercept', 'core', 'management', 'infrastructure')))
    AND ({all:Bool} OR source GLOBAL IN (SELECT arrayJoin({sources:Array(String)})))
GROUP BY source, clock, is_free
