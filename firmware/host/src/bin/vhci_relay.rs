//! `vhci_relay FROM`: gives this machine's kernel a Bluetooth controller that answers elsewhere.
//!
//! The kernel's virtual HCI device takes and gives one whole packet per call; a serial port or a socket carries a stream. This
//! cuts the stream into packets on the way in, and passes packets on as they are on the way out. It is what lets the virtual
//! controllers of a test run outside the machine whose kernel is tested, where they are not slowed down with it.

#[path = "../h4.rs"]
mod h4;

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::process::ExitCode;

const VHCI: &str = "/dev/vhci";
/// What the device is told first: make a controller of the usual kind.
const CREATE: [u8; 2] = [VENDOR, 0];
/// Kind of the packet in which the device tells the number of the controller; nobody else's business.
const VENDOR: u8 = 0xFF;
/// Longer than any packet, and a page of the port.
const PIECE: usize = 4096;

fn main() -> ExitCode {
    let Some(from) = std::env::args_os().nth(1) else {
        complain("usage: vhci_relay PORT");
        return ExitCode::from(2);
    };
    let open = |path: &std::path::Path| OpenOptions::new().read(true).write(true).open(path);
    let relayed = open(from.as_ref()).and_then(|port| open(VHCI.as_ref()).and_then(|vhci| relay(port, vhci)));
    match relayed {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&format!("vhci_relay: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn complain(what: &str) {
    // Without anybody to tell there is nothing to do.
    let _ = writeln!(io::stderr(), "{what}");
}

/// Carries packets both ways until one side ends.
fn relay(port: File, mut vhci: File) -> io::Result<()> {
    vhci.write_all(&CREATE)?;
    let (from_vhci, to_port) = (vhci.try_clone()?, port.try_clone()?);
    std::thread::spawn(move || {
        if let Err(error) = from_kernel(from_vhci, to_port) {
            complain(&format!("vhci_relay: from the kernel: {error}"));
            std::process::exit(1);
        }
    });
    to_kernel(port, vhci)
}

fn from_kernel(mut vhci: impl Read, mut port: impl Write) -> io::Result<()> {
    let mut packet = [0; PIECE];
    loop {
        match vhci.read(&mut packet)? {
            0 => return Ok(()),
            _ if packet[0] == VENDOR => {}
            length => port.write_all(&packet[..length])?,
        }
    }
}

fn to_kernel(mut port: impl Read, mut vhci: impl Write) -> io::Result<()> {
    let (mut bytes, mut piece) = (Vec::new(), [0; PIECE]);
    loop {
        let length =
            h4::packet_length(&bytes).map_err(|h4::UnknownPacket| io::Error::other("bytes that are no HCI packet"))?;
        match length.filter(|length| *length <= bytes.len()) {
            Some(length) => {
                // One call is one packet: `write_all` could cut it.
                let written = vhci.write(&bytes[..length])?;
                if written != length {
                    return Err(io::Error::other("the kernel took half a packet"));
                }
                bytes.drain(..length);
            }
            None => match port.read(&mut piece)? {
                0 => return Ok(()),
                read => bytes.extend_from_slice(&piece[..read]),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives a few bytes at a time.
    struct Slowly<'a>(&'a [u8], usize);

    impl Read for Slowly<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let count = self.1.min(self.0.len());
            into[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }

    #[derive(Default)]
    struct Packets(Vec<Vec<u8>>);

    impl Write for Packets {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.push(bytes.to_vec());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn the_kernel_gets_whole_packets_however_the_stream_is_cut() {
        let packets = [
            vec![4, 0x0e, 2, 1, 3],
            vec![2, 1, 0x20, 3, 0, 7, 8, 9],
            vec![4, 0x13, 0],
        ];
        let stream = packets.concat();
        for at_a_time in 1..=stream.len() {
            let mut kernel = Packets::default();
            to_kernel(Slowly(&stream, at_a_time), &mut kernel).expect("no fault");
            assert_eq!(kernel.0, packets, "{at_a_time} bytes at a time");
        }
        assert!(to_kernel(Slowly(&[9, 9], 2), &mut Packets::default()).is_err());
    }
}
