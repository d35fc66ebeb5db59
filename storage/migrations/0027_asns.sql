CREATE OR REPLACE VIEW asns
(
    asn UInt32 COMMENT 'Autonomous system, as in the columns src_asn, dst_asn and peer_asn.',
    organisation LowCardinality(String) COMMENT 'Its organisation, by the geography database when its latest flow came; empty unknown.'
)
AS SELECT asn, argMax(z.organisation, (z.organisation != '', z.last_seen)) AS organisation
FROM zone_asns AS z
GROUP BY asn
COMMENT 'Organisations of the autonomous systems that protected zones have had peers in.'
