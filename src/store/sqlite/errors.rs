//! The engine's errors as the store's.

use super::super::error::StoreError;
use rusqlite::{Error, ErrorCode};

/// What an error of the engine means for the caller.
fn from_sqlite(error: Error) -> StoreError {
    let detail = error.to_string();
    match &error {
        Error::SqliteFailure(failure, _) => match failure.code {
            ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => StoreError::Busy { holder: None },
            ErrorCode::DiskFull => StoreError::Full { detail },
            ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => StoreError::Corrupt { detail },
            ErrorCode::ConstraintViolation | ErrorCode::TypeMismatch | ErrorCode::TooBig => {
                StoreError::rejected("a row", detail)
            }
            _ => StoreError::Unavailable {
                retry_after: None,
                detail,
            },
        },
        // A statement that does not fit the layout, a value of another type than the layout says, or text that is not
        // UTF-8: the file is not what was written.
        Error::SqlInputError { .. }
        | Error::FromSqlConversionFailure(..)
        | Error::InvalidColumnType(..)
        | Error::IntegralValueOutOfRange(..)
        | Error::Utf8Error(..) => StoreError::Corrupt { detail },
        _ => StoreError::Unavailable {
            retry_after: None,
            detail,
        },
    }
}

impl From<Error> for StoreError {
    fn from(error: Error) -> Self {
        from_sqlite(error)
    }
}
