-- What touches a lawful-intercept zone.
src_zone_kind = 'lawful-intercept' OR dst_zone_kind = 'lawful-intercept'
