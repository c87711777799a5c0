//! Bluetooth through the system, against a false Bluetooth service.
//!
//! The real btleplug and the real `dbus-daemon`, on a bus of its own; behind it a server that plays `org.bluez` with scripted
//! sensors. It makes the errors and the timing that hardware makes once a year, and it runs without administrator, kernel
//! module or radio. It proves nothing about BlueZ itself.
//!
//! btleplug takes the address of the bus from the environment, so each test runs itself once more in a child process, whose
//! environment is its own. In the child the server and the radio under test share nothing but the bus.
//!
//! - [`bus`]: the bus, and the child.
//! - [`world`]: what exists: adapter, sensors, services, and how they fail.
//! - [`server`]: the world as D-Bus objects.
//! - [`peers`]: what stands behind the characteristics.
//! - [`client`]: what tests ask of the radio.
//! - [`laws`]: links and frames. [`failures`]: what goes wrong. [`states`]: the radio itself.

mod bus;
mod client;
mod failures;
mod laws;
mod peers;
mod server;
mod states;
mod world;
