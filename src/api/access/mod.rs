//! Who may do what: callers, the table of roles, consent, limits.
//!
//! ```text
//! request ─► host, origin ─► who is it? (token, cookie, this machine) ─► how often? ─► table ─► gate ─► handler
//!            [`guard`]        [`caller`], [`login`]                       [`rate`]      [`roles`] [`gate`]
//! ```
//!
//! The table says which role reaches which kind of data at all; the [`gate`] then asks for every athlete whether this
//! caller reaches *that* one, which needs scope and consent. A handler cannot read an athlete's data without passing it.

pub mod caller;
pub mod consent;
pub mod gate;
pub mod guard;
pub mod login;
pub mod rate;
pub mod roles;
