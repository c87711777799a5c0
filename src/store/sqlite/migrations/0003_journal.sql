-- The record, layout 3: what people say, flags over time, who may look, and what a run amounts to for the flags.

-- Entries of the journal; body is JSON whose shape follows kind (store/journal).
CREATE TABLE journal (
    athlete_id TEXT NOT NULL,
    entry_id   TEXT NOT NULL,
    kind       TEXT NOT NULL,
    revision   INTEGER NOT NULL,                    -- from 1
    day        INTEGER NOT NULL,                    -- local day, days since 1970-01-01
    at_us      INTEGER NOT NULL,
    body       TEXT NOT NULL,
    PRIMARY KEY (athlete_id, entry_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX journal_by_day ON journal (athlete_id, day, at_us);

-- What an entry said before it was corrected or taken back.
CREATE TABLE journal_past (
    athlete_id TEXT NOT NULL,
    entry_id   TEXT NOT NULL,
    revision   INTEGER NOT NULL,
    kind       TEXT NOT NULL,
    day        INTEGER NOT NULL,
    at_us      INTEGER NOT NULL,
    body       TEXT NOT NULL,
    until_us   INTEGER NOT NULL,                    -- when it stopped counting
    PRIMARY KEY (athlete_id, entry_id, revision)
) STRICT, WITHOUT ROWID;

-- What one run amounts to for flags and trends: derived from its strides, kept so that a season is read without them.
CREATE TABLE run_values (
    session_no INTEGER NOT NULL REFERENCES sessions ON DELETE CASCADE,
    analysis   INTEGER NOT NULL,
    version    INTEGER NOT NULL,                    -- of the computation; another version is computed anew
    body       TEXT NOT NULL,                       -- JSON
    PRIMARY KEY (session_no, analysis, version)
) STRICT, WITHOUT ROWID;

-- The state of each flag at the end of each day on which it changed, under one version of the rules.
CREATE TABLE flag_states (
    athlete_id    TEXT NOT NULL,
    rules_version TEXT NOT NULL,
    flag          TEXT NOT NULL,
    day           INTEGER NOT NULL,
    state         TEXT NOT NULL CHECK (state IN ('not_enough_data', 'none', 'info', 'watch', 'high', 'stop')),
    evidence      TEXT,                             -- JSON: the explanation of that day
    PRIMARY KEY (athlete_id, rules_version, flag, day)
) STRICT, WITHOUT ROWID;

-- The summary of each day on which it changed.
CREATE TABLE flag_summaries (
    athlete_id    TEXT NOT NULL,
    rules_version TEXT NOT NULL,
    day           INTEGER NOT NULL,
    state         TEXT NOT NULL,
    coverage      REAL NOT NULL,
    PRIMARY KEY (athlete_id, rules_version, day)
) STRICT, WITHOUT ROWID;

-- The inputs of the flags, by day, under one version of the rules.
CREATE TABLE flag_inputs (
    athlete_id    TEXT NOT NULL,
    rules_version TEXT NOT NULL,
    input         TEXT NOT NULL,
    day           INTEGER NOT NULL,
    value         REAL NOT NULL,
    PRIMARY KEY (athlete_id, rules_version, input, day)
) STRICT, WITHOUT ROWID;

-- Who may look from another machine. The token itself is never kept.
CREATE TABLE tokens (
    token_sha256 TEXT PRIMARY KEY,
    name         TEXT NOT NULL,
    role         TEXT NOT NULL CHECK (role IN ('owner', 'runner', 'coach', 'therapist', 'share')),
    scope        TEXT NOT NULL,                     -- JSON
    made_us      INTEGER NOT NULL,
    expires_us   INTEGER,
    revoked_us   INTEGER
) STRICT, WITHOUT ROWID;

-- Who read whose health data.
CREATE TABLE access_log (
    log_no     INTEGER PRIMARY KEY AUTOINCREMENT,
    at_us      INTEGER NOT NULL,
    actor      TEXT NOT NULL,
    role       TEXT NOT NULL,
    athlete_id TEXT NOT NULL,
    action     TEXT NOT NULL
) STRICT;
CREATE INDEX access_log_by_athlete ON access_log (athlete_id, at_us);
