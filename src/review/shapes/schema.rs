//! How the words of the record look in the description of the HTTP interface: as texts.

use crate::store::journal::{Day, EntryId};
use crate::store::{AthleteId, SessionId};
use std::borrow::Cow;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;
use utoipa::{PartialSchema, ToSchema};

macro_rules! texts {
    ($($name:ident),+) => { $(
        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                String::schema()
            }
        }

        impl ToSchema for $name {
            fn name() -> Cow<'static, str> {
                Cow::Borrowed(stringify!($name))
            }
        }
    )+ };
}

texts!(AthleteId, Day, EntryId, SessionId);
