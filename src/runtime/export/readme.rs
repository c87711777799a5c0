//! The page that explains an export to whoever opens it years later, without lope.

use crate::metrics::METRICS;
use crate::store::csv::column_name;
use std::fmt::Write as _;

/// The page.
pub(super) fn text() -> String {
    let mut t = String::from(
        "# An export of lope\n\n\
         Everything lope kept of the athletes below, as text. `MANIFEST.json` lists each file with its size, rows and SHA-256.\n\n\
         | file | what |\n|---|---|\n\
         | `ATHLETE/journal.jsonl` | what people said: one entry a line; `day` counts days since 1970-01-01, `at_us` microseconds (UTC) |\n\
         | `ATHLETE/journal_past.jsonl` | what entries said before they were corrected or taken back |\n\
         | `ATHLETE/flag_states.jsonl`, `flag_summaries.jsonl`, `flag_inputs.jsonl` | flags by day, with the version of the rules |\n\
         | `ATHLETE/access_log.jsonl` | who read what over the network |\n\
         | `…/sessions/ID/session.jsonl` | the session: `start_us` microseconds (UTC), other `_us` from there |\n\
         | `…/strides.csv` | one row a stride (columns below) |\n\
         | `…/blocks.csv` | medians of 25 strides of one side, same columns |\n\
         | `…/windows.csv`, `events.csv` | activity a second; gaps, marks, doubts |\n\
         | `…/session_metrics.jsonl`, `run_values.jsonl` | what the session amounts to |\n\
         | `…/session_sensors.jsonl`, `analyses.jsonl`, `raw_files.jsonl`, `raw_care.jsonl` | sensors, versions, raw files |\n\
         | `…/sensor_health.jsonl` | each sensor by ten seconds: samples, losses, battery, link, clock |\n\
         | `…/session_events.jsonl`, `exact/` | rows of all analyses as lope keeps them: SI units, `t_us` microseconds (UTC), the other `_us` from there, `side` 1 left, 2 right |\n\
         | `metric_columns.jsonl` | which letter of `absent` in `exact/` is of which metric; `.` there is a value |\n\
         | `…/raw.db`, `links` | raw samples as lope keeps them (an SQLite file), and what came over the radio |\n\
         | `…/recording/` | raw samples, one CSV a sensor: seconds, m/s², rad/s; `lope analyze recording` reads it |\n\n\
         `lope import FOLDER` makes the same record of it again, where there is none yet.\n\n\
         An empty cell means: not measured. Text cells that could be read as a formula begin with `'`.\n\n\
         ## Columns of strides and blocks\n\n| column | meaning |\n|---|---|\n",
    );
    for def in METRICS {
        // Writing to a String cannot fail.
        let _ = writeln!(t, "| `{}` | {} |", column_name(def), def.label);
    }
    t
}
