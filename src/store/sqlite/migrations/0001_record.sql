-- The record, layout 1. Released steps are never edited; a change is the next numbered file.
-- Columns m_<metric> of strides and blocks are not written here: they follow the registry of metrics (see schema.rs).
-- Times end in _us: microseconds. t_us and start_us are UTC since 1970, all others count from the t_us of their row.
-- side: 0 not known, 1 left, 2 right. seen_from: 0 foot, 1 shank, 2 sacrum.

CREATE TABLE sessions (
    session_no       INTEGER PRIMARY KEY,      -- a short key inside this file; the identity is session_id
    session_id       TEXT NOT NULL UNIQUE,
    athlete_id       TEXT NOT NULL,
    start_us         INTEGER NOT NULL,
    wall_clock       TEXT NOT NULL CHECK (wall_clock IN ('known', 'assumed')),
    expected_stop_us INTEGER,                  -- from start_us
    stop_us          INTEGER,                  -- from start_us
    state            TEXT NOT NULL CHECK (state IN ('open', 'closed', 'recovered')),
    origin           TEXT NOT NULL CHECK (origin IN ('live', 'import', 'demo')),
    source_sha256    TEXT,
    tz               TEXT,
    note             TEXT,
    height_m         REAL,
    mass_kg          REAL,
    leg_length_m     REAL,
    current_analysis INTEGER NOT NULL,
    strides          INTEGER
) STRICT;
CREATE INDEX sessions_by_athlete ON sessions (athlete_id, start_us);
CREATE INDEX sessions_by_start ON sessions (start_us, session_id);

CREATE TABLE session_sensors (
    session_no        INTEGER NOT NULL REFERENCES sessions ON DELETE CASCADE,
    placement         TEXT NOT NULL,
    rate_hz           REAL NOT NULL,
    acc_range         REAL,
    gyro_range        REAL,
    side_known        INTEGER NOT NULL,
    outcome           INTEGER NOT NULL DEFAULT 0,   -- 1 when the three columns below were told at the end
    calibration       TEXT,                         -- JSON
    clock_ppm         REAL,
    clock_residual_us REAL,
    PRIMARY KEY (session_no, placement)
) STRICT, WITHOUT ROWID;

CREATE TABLE analyses (
    session_no       INTEGER NOT NULL REFERENCES sessions ON DELETE CASCADE,
    analysis         INTEGER NOT NULL,
    pipeline_version TEXT NOT NULL,
    params           TEXT NOT NULL,                 -- JSON
    PRIMARY KEY (session_no, analysis)
) STRICT, WITHOUT ROWID;

CREATE TABLE strides (
    session_no   INTEGER NOT NULL REFERENCES sessions ON DELETE CASCADE,
    analysis     INTEGER NOT NULL,
    t_us         INTEGER NOT NULL,
    side         INTEGER NOT NULL,
    seen_from    INTEGER NOT NULL,
    idx          INTEGER NOT NULL,
    duration_us  INTEGER NOT NULL,
    ic_us        INTEGER,                           -- contact of the opening stance; negative, it lies before t_us
    mid_us       INTEGER,
    tc_us        INTEGER,
    next_ic_us   INTEGER,
    activity     TEXT NOT NULL,
    class        TEXT NOT NULL,                     -- A to D
    flags        INTEGER NOT NULL,                  -- 1 acc clipped, 2 gyro clipped, 4 filled, 8 turning, 16 approximate zero, 32 after rest
    q_innovation REAL NOT NULL,
    q_clipping   REAL NOT NULL,
    q_gaps       REAL NOT NULL,
    q_agreement  REAL NOT NULL,
    q_guards     REAL NOT NULL,
    q_alignment  REAL NOT NULL,
    foot         BLOB,                              -- see codes.rs
    absent       TEXT NOT NULL,                     -- one letter a metric, at its slot: why there is no value; see codes.rs
    PRIMARY KEY (session_no, analysis, t_us, side, seen_from)
) STRICT, WITHOUT ROWID;

CREATE TABLE blocks (
    session_no  INTEGER NOT NULL REFERENCES sessions ON DELETE CASCADE,
    analysis    INTEGER NOT NULL,
    t_us        INTEGER NOT NULL,
    side        INTEGER NOT NULL,
    duration_us INTEGER NOT NULL,
    usable      INTEGER NOT NULL,
    seen        INTEGER NOT NULL,
    confidence  TEXT NOT NULL,
    absent      TEXT NOT NULL,
    PRIMARY KEY (session_no, analysis, t_us, side)
) STRICT, WITHOUT ROWID;

CREATE TABLE windows (
    session_no       INTEGER NOT NULL REFERENCES sessions ON DELETE CASCADE,
    analysis         INTEGER NOT NULL,
    t_us             INTEGER NOT NULL,              -- end of the window
    spectral_cadence REAL,                          -- steps/min
    activity         TEXT NOT NULL,
    PRIMARY KEY (session_no, analysis, t_us)
) STRICT, WITHOUT ROWID;

CREATE TABLE session_events (
    session_no INTEGER NOT NULL REFERENCES sessions ON DELETE CASCADE,
    analysis   INTEGER NOT NULL,
    t_us       INTEGER NOT NULL,
    kind       TEXT NOT NULL,
    body       TEXT NOT NULL,                       -- JSON; instants inside are nanoseconds of session time
    PRIMARY KEY (session_no, analysis, t_us, kind, body)
) STRICT, WITHOUT ROWID;

CREATE TABLE session_metrics (
    session_no INTEGER NOT NULL REFERENCES sessions ON DELETE CASCADE,
    metric     TEXT NOT NULL,
    side       INTEGER NOT NULL,                    -- 0 both
    n          INTEGER NOT NULL,
    median     REAL NOT NULL,
    mad        REAL NOT NULL,
    mean       REAL NOT NULL,
    p10        REAL NOT NULL,
    p90        REAL NOT NULL,
    PRIMARY KEY (session_no, metric, side)
) STRICT, WITHOUT ROWID;
CREATE INDEX session_metrics_by_metric ON session_metrics (metric, side, session_no);

CREATE TABLE raw_files (
    session_no INTEGER PRIMARY KEY REFERENCES sessions ON DELETE CASCADE,
    path       TEXT NOT NULL,                       -- inside the data folder
    bytes      INTEGER NOT NULL,
    samples    INTEGER NOT NULL,
    sha256     TEXT NOT NULL
) STRICT;

CREATE TABLE metric_columns (
    metric        TEXT PRIMARY KEY,
    slot          INTEGER NOT NULL UNIQUE,          -- place of its letter in absent
    unit          TEXT NOT NULL,
    since_version TEXT NOT NULL
) STRICT, WITHOUT ROWID;
