//! The test link: sensors behind a TCP socket, loopback unless told otherwise. *Not* for strangers: it knows no keys.
//!
//! One program has the sensors ([`serve`], any [`crate::sensors::radio::Radio`]: simulated pods, or the Bluetooth of
//! another computer), the other collects from them ([`WireRadio`]) with the drivers it would use over the air.
//!
//! A connection is either a scan or one link; its end is the end of both. Messages are `length u16 · kind u8 · fields`,
//! little-endian, length without itself, at most 4096; texts and bytes within are `length u16 · bytes`, a channel is two
//! u128 (service, characteristic).
//!
//! | kind | from | what | fields |
//! |---|---|---|---|
//! | 1 | both, first | greeting | text `lope wire 1` |
//! | 2 | client, second | scan | – |
//! | 3 | client, second | open | os_id |
//! | 4 | client | command | op u8 (0 subscribe, 1 read, 2 write with answer, 3 write without), channel, bytes |
//! | 5 | client | close | – |
//! | 16 | server | advert | os_id, has name u8, name, rssi i16 (7FFF unknown), connected u8, n u8, n × service u128, m u8, m × company u16 |
//! | 17 | server | opened | mtu u16, name, os_id, n u8, n × channel |
//! | 18 | server | not opened | code u8, text |
//! | 19 | server | answer to the command | code u8 (0 done), bytes or text |
//! | 20 | server | frame | channel, bytes |
//! | 21 | server | the link is over | code u8 |
//! | 22 | server | refused: what the client sent breaks a rule; the connection closes | text |
//!
//! One command at a time, as on every link. Arrival is stamped by the client, as a radio's is.

mod message;
mod radio;
mod server;
#[cfg(test)]
mod tests;

pub use radio::WireRadio;
pub use server::serve;

/// Where it listens if nothing is said.
pub const DEFAULT_ADDRESS: &str = "127.0.0.1:7878";
