//! A copy of the record in InfluxDB, or in another server that speaks its line protocol.
//!
//! ```text
//! record ─commit─► outbox ─► [worker] rows ─[points, line]─► text ─[transport]─► server
//!                    ▲          │  ▲
//!                    └─ cursor ─┘  └─ [delivery]: what an answer means, when to try again
//! ```
//!
//! The copy may lag, be away for weeks or be lost; nothing waits for it. Sending is idempotent: a point is its tags and
//! its time, so whatever is in doubt is sent again. [`reader`] asks the server questions of
//! [`SeriesQuery`](super::series::SeriesQuery), which the record answers too, with the same numbers.
//!
//! Pure: [`mod@line`], [`points`], [`delivery`], [`influxql`]. The network is in [`transport`] and [`reader`] alone.

pub mod address;
pub mod delivery;
pub mod influxql;
pub mod line;
pub mod points;
pub mod reader;
pub mod transport;
pub mod worker;

pub use address::{Destination, Patience, Plaintext, Token};
pub use delivery::{Delivery, Health, Pause, Reply};
pub use reader::InfluxReader;
pub use transport::{InfluxTransport, LineTransport};
pub use worker::{Pace, Sent, Waiting};
