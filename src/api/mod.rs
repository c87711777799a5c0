//! The HTTP interface: the record and live runs for dashboards, phones and programs.
//!
//! ```text
//! connection ─► headers, patience ─► gzip ─► guard (host, origin, who, how often) ─┬─► /api/v1/…  [`routes`]
//!                                                                                ├─► /plain/…   [`plain`]
//!                                                                                └─► /…         [`dashboard`]
//! ```
//!
//! Every route is an [`endpoint::Endpoint`] in one list; router, description and authorisation are read from it. Handlers
//! take requests apart, ask the store on threads that may block ([`app::App::ask`]), and answer. Errors are problems
//! ([`problem`]), never plain text. Nothing here reads a clock: [`app::Clock`] is handed in.

pub mod access;
pub mod answer;
pub mod app;
pub mod dashboard;
pub mod endpoint;
pub mod extract;
pub mod live;
pub mod looked;
pub mod openapi;
pub mod plain;
pub mod problem;
pub mod routes;
mod server;

pub use app::{App, Clock, Entrance, Limits, Setup};
pub use live::Hub;
pub use problem::Problem;
pub use server::{openapi_json, router, serve};
