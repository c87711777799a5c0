-- The record, layout 5: flags go to copies too.
-- Entries of the outbox may belong to an athlete and to no session (session_id ''). SQLite cannot widen a CHECK, so the
-- table is made anew; its sequence goes on, because cursors compare with it.

CREATE TABLE outbox_wider (
    seq         INTEGER PRIMARY KEY AUTOINCREMENT,   -- never reused: cursors compare with it
    sink        TEXT,                                -- NULL: for every sink
    op          TEXT NOT NULL CHECK (op IN ('put', 'delete')),
    athlete_id  TEXT NOT NULL,
    session_id  TEXT NOT NULL,                       -- '' for flags
    analysis    INTEGER NOT NULL,
    measurement TEXT NOT NULL CHECK (measurement IN ('stride', 'window', 'session', 'flag')),
    from_us     INTEGER NOT NULL,                    -- UTC since 1970
    to_us       INTEGER NOT NULL
) STRICT;
INSERT INTO outbox_wider SELECT * FROM outbox;
DELETE FROM sqlite_sequence WHERE name = 'outbox_wider';
INSERT INTO sqlite_sequence (name, seq) SELECT 'outbox_wider', seq FROM sqlite_sequence WHERE name = 'outbox';
DROP TABLE outbox;
ALTER TABLE outbox_wider RENAME TO outbox;
CREATE INDEX outbox_by_session ON outbox (session_id);

-- What copies get of flags: changes of states under the rules in force; what rests on symptoms only with consent.
CREATE TABLE flag_copies (
    athlete_id    TEXT NOT NULL,
    flag          TEXT NOT NULL,
    day           INTEGER NOT NULL,
    state         TEXT NOT NULL,
    rules_version TEXT NOT NULL,
    PRIMARY KEY (athlete_id, day, flag)
) STRICT, WITHOUT ROWID;
