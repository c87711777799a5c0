-- The record, layout 6: how each sensor did, ten seconds at a time; and it goes to copies too.

CREATE TABLE sensor_health (
    session_no       INTEGER NOT NULL REFERENCES sessions ON DELETE CASCADE,
    t_us             INTEGER NOT NULL,              -- begin of the ten seconds, UTC since 1970
    placement        TEXT NOT NULL,
    samples          INTEGER NOT NULL,              -- measured
    filled           INTEGER NOT NULL,              -- interpolated across a short gap
    missing          INTEGER NOT NULL,              -- lost for good, by gaps that end here
    clipped          INTEGER NOT NULL,              -- with an axis at its rail
    battery_pct      INTEGER,
    links_lost       INTEGER,                       -- since the session began; NULL without a link
    reboots          INTEGER,                       -- likewise
    clock_ppm        REAL,
    clock_scatter_us REAL,
    PRIMARY KEY (session_no, t_us, placement)
) STRICT, WITHOUT ROWID;

-- SQLite cannot widen a CHECK, so the outbox is made anew; its sequence goes on, because cursors compare with it.
CREATE TABLE outbox_wider (
    seq         INTEGER PRIMARY KEY AUTOINCREMENT,   -- never reused: cursors compare with it
    sink        TEXT,                                -- NULL: for every sink
    op          TEXT NOT NULL CHECK (op IN ('put', 'delete')),
    athlete_id  TEXT NOT NULL,
    session_id  TEXT NOT NULL,                       -- '' for flags
    analysis    INTEGER NOT NULL,
    measurement TEXT NOT NULL CHECK (measurement IN ('stride', 'window', 'session', 'flag', 'health')),
    from_us     INTEGER NOT NULL,                    -- UTC since 1970
    to_us       INTEGER NOT NULL
) STRICT;
INSERT INTO outbox_wider SELECT * FROM outbox;
DELETE FROM sqlite_sequence WHERE name = 'outbox_wider';
INSERT INTO sqlite_sequence (name, seq) SELECT 'outbox_wider', seq FROM sqlite_sequence WHERE name = 'outbox';
DROP TABLE outbox;
ALTER TABLE outbox_wider RENAME TO outbox;
CREATE INDEX outbox_by_session ON outbox (session_id);
