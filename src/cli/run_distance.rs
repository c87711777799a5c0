//! How far a recorded session went: what its runner says, else its strides.

use super::desk::Desk;
use super::failure::Failure;
use crate::metrics::MetricId;
use crate::store::journal::SessionNote;
use crate::store::{History, SessionId, SideScope, SqliteReader, StoreError, SummaryRow};

/// Distance of a session, km: the note's, else mean stride length of the usable strides times all strides of one foot.
/// `None` where the session is gone or has no stride lengths.
///
/// # Errors
/// The record cannot be read.
pub fn km(desk: &Desk, session: &str, note: &SessionNote) -> Result<Option<f64>, Failure> {
    if note.km.is_some() {
        return Ok(note.km);
    }
    let (Ok(id), reader) = (SessionId::parse(session), SqliteReader::open(&desk.dir)) else {
        return Ok(None);
    };
    let reader = match reader {
        Ok(reader) => reader,
        Err(StoreError::Missing { .. }) => return Ok(None),
        Err(e) => return Err(e.into()),
    };
    let Some(row) = reader.session(&id)? else {
        return Ok(None);
    };
    Ok(of_strides(&reader.summary(&id)?, row.strides))
}

/// Mean stride length times strides a foot. Strides of both feet are counted together, and each covers the way once.
fn of_strides(summary: &[SummaryRow], strides: Option<u64>) -> Option<f64> {
    let lengths: Vec<&SummaryRow> = summary.iter().filter(|r| r.metric == MetricId::StrideLength).collect();
    let mean = lengths.iter().find(|r| r.side == SideScope::Both)?.mean;
    let feet = lengths.iter().filter(|r| r.side != SideScope::Both).count().max(1);
    Some(mean * strides? as f64 / feet as f64 / 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Side;

    fn row(side: SideScope, n: u32, mean: f64) -> SummaryRow {
        SummaryRow {
            metric: MetricId::StrideLength,
            side,
            n,
            median: mean,
            mad: 0.0,
            mean,
            p10: mean,
            p90: mean,
        }
    }

    #[test]
    fn each_foot_covers_the_way_once() {
        let one = [row(SideScope::Both, 900, 2.5)];
        assert_eq!(of_strides(&one, Some(1000)), Some(2.5));
        let two = [
            row(SideScope::Both, 1800, 2.5),
            row(SideScope::Only(Side::Left), 900, 2.5),
            row(SideScope::Only(Side::Right), 900, 2.5),
        ];
        assert_eq!(of_strides(&two, Some(2000)), Some(2.5));
        assert_eq!(of_strides(&[], Some(2000)), None);
        assert_eq!(of_strides(&one, None), None);
    }
}
