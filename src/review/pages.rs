//! All rows of a question about a session, for those who only look at them.

use crate::store::pages::pages as walk;
use crate::store::{Page, RowQuery, SessionId, StoreError};

/// Walks all rows of a question about a session.
///
/// # Errors
/// Those of the store.
pub(crate) fn pages<T>(
    session: &SessionId,
    ask: impl Fn(&RowQuery) -> Result<Page<T>, StoreError>,
    mut take: impl FnMut(&T),
) -> Result<(), StoreError> {
    walk(session, ask, |row| {
        take(row);
        Ok::<_, StoreError>(())
    })
    .map(drop)
}
