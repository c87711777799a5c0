-- The record, layout 2: what copies of the record (sinks) still have to be told.
-- The outbox names rows, it does not hold them: a row here says "what lies in [from_us, to_us) is to be sent again", and
-- sending again changes nothing at the other end. No foreign key: a deletion must outlive what it deletes.

CREATE TABLE outbox (
    seq         INTEGER PRIMARY KEY AUTOINCREMENT,   -- never reused: cursors compare with it
    sink        TEXT,                                -- NULL: for every sink
    op          TEXT NOT NULL CHECK (op IN ('put', 'delete')),
    athlete_id  TEXT NOT NULL,
    session_id  TEXT NOT NULL,
    analysis    INTEGER NOT NULL,
    measurement TEXT NOT NULL CHECK (measurement IN ('stride', 'window', 'session')),
    from_us     INTEGER NOT NULL,                    -- UTC since 1970
    to_us       INTEGER NOT NULL
) STRICT;
CREATE INDEX outbox_by_session ON outbox (session_id);

CREATE TABLE sink_cursors (
    sink       TEXT PRIMARY KEY,
    target     TEXT NOT NULL,                        -- where to, for people and to notice a change; never a token
    last_seq   INTEGER NOT NULL,                     -- everything up to here is sent
    resume_us  INTEGER,                              -- of the next one, everything before this instant too
    state      TEXT NOT NULL,
    error      TEXT,
    lines      INTEGER NOT NULL DEFAULT 0,           -- sent since the sink is known
    updated_us INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE sink_rejects (
    sink       TEXT NOT NULL,
    line       TEXT NOT NULL,
    seq        INTEGER NOT NULL,
    session_id TEXT NOT NULL,
    reason     TEXT NOT NULL,
    PRIMARY KEY (sink, line)
) STRICT, WITHOUT ROWID;
CREATE INDEX sink_rejects_by_session ON sink_rejects (session_id);
