//! All rows of a question, page after page.
//!
//! A store answers no question longer than its limit and says where it stopped; whoever needs everything asks on from there.
//! That is written here once, so that nobody forgets it.

use crate::model::Span;
use crate::store::{Completeness, Page, RowQuery, SessionId, StoreError};

/// Walks all rows of a question about a session.
///
/// # Errors
/// Those of the store.
pub(crate) fn pages<T>(
    session: &SessionId,
    ask: impl Fn(&RowQuery) -> Result<Page<T>, StoreError>,
    mut take: impl FnMut(&T),
) -> Result<(), StoreError> {
    let mut query = RowQuery::all(session.clone());
    loop {
        let page = ask(&query)?;
        page.rows.iter().for_each(&mut take);
        match page.completeness {
            Completeness::Complete => return Ok(()),
            Completeness::Truncated { resume_at } => match Span::new(resume_at, query.span.end()) {
                Some(rest) => query.span = rest,
                None => return Ok(()),
            },
        }
    }
}
