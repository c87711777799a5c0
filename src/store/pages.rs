//! All rows of a question, page after page.
//!
//! A store answers no question longer than its limit and says where it stopped; whoever needs everything asks on from there.
//! That is written here once, so that nobody forgets it.

use super::error::StoreError;
use super::ids::SessionId;
use super::query::{Completeness, Page, RowQuery};
use crate::model::Span;

/// Walks all rows of a question about a session; says how many there were.
///
/// # Errors
/// Those of the store, and whatever `each` answers.
pub(crate) fn pages<T, E: From<StoreError>>(
    session: &SessionId,
    ask: impl Fn(&RowQuery) -> Result<Page<T>, StoreError>,
    mut each: impl FnMut(&T) -> Result<(), E>,
) -> Result<u64, E> {
    let mut query = RowQuery::all(session.clone());
    let mut count = 0;
    loop {
        let page = ask(&query)?;
        for row in &page.rows {
            each(row)?;
            count += 1;
        }
        let Completeness::Truncated { resume_at } = page.completeness else {
            return Ok(count);
        };
        let Some(rest) = Span::new(resume_at, query.span.end()) else {
            return Ok(count);
        };
        query.span = rest;
    }
}
