//! The routes, by what they are about.

mod athletes;
mod catalog;
mod curves;
mod entry;
mod explain;
mod export;
mod flags;
mod journal;
mod live;
mod looking_back;
mod machine;
mod measured;
mod meta;
mod raw;
mod reports;
mod sessions;
mod shares;
mod shoes;
mod strides;
mod tokens;
mod verdicts;

use super::endpoint::Endpoint;

/// All routes below `/api/v1`.
#[must_use]
pub fn all() -> Vec<Endpoint> {
    [
        meta::endpoints(),
        catalog::endpoints(),
        athletes::endpoints(),
        sessions::endpoints(),
        measured::endpoints(),
        strides::endpoints(),
        explain::endpoints(),
        export::endpoints(),
        curves::endpoints(),
        verdicts::endpoints(),
        raw::endpoints(),
        journal::endpoints(),
        looking_back::endpoints(),
        flags::endpoints(),
        reports::endpoints(),
        shoes::endpoints(),
        live::endpoints(),
        machine::endpoints(),
        tokens::endpoints(),
        shares::endpoints(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

pub(in crate::api) use athletes::everybody;
pub(in crate::api) use measured::seen;
pub(in crate::api) use meta::{sign_in, sign_out};
pub(in crate::api) use shares::follow as follow_share;
