CREATE TABLE IF NOT EXISTS {{.Table "approvals"}}
(
    id String COMMENT 'Identity, random.',
    alert_id String COMMENT 'The alert that it was made from.',
    title String COMMENT 'Title of that alert.',
    client IPv6 COMMENT 'Who may open the conversation.',
    client_asset String COMMENT 'Its name in the inventory; empty: none.',
    server IPv6 COMMENT 'With whom.',
    server_asset String COMMENT 'Its name in the inventory; empty: none.',
    either_initiates Bool COMMENT 'The server may open it as well.',
    protocol UInt8 COMMENT 'IP protocol number.',
    port UInt16 COMMENT 'Port of the server; 0: the protocol has none.',
    owner String COMMENT 'Who answers for it.',
    reason String COMMENT 'Why it is wanted.',
    ticket String COMMENT 'The change under which it is allowed.',
    created_at DateTime64(3, 'UTC') COMMENT 'From when on it is in force, by the clock.',
    expires_at DateTime64(3, 'UTC') COMMENT 'Until when.',
    ended_at DateTime64(3, 'UTC') COMMENT 'When somebody ended it before; 1970 nobody did.',
    version UInt64 COMMENT 'Grows with every change.'
)
ENGINE = {{.Engine "ReplacingMergeTree" "version"}}
ORDER BY id
COMMENT 'Conversations that alerts told of and somebody allowed: rules beside those of the inventory. Kept for the record; read it with FINAL.'
