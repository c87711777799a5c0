-- The record, layout 4: which raw recordings stay, and what became of those that went.

CREATE TABLE raw_care (
    session_no    INTEGER PRIMARY KEY REFERENCES sessions ON DELETE CASCADE,
    pinned        INTEGER NOT NULL DEFAULT 0,       -- 1: no age and no size removes it
    removed_us    INTEGER,                          -- when its samples went; the session itself stays
    removed_bytes INTEGER
) STRICT;
