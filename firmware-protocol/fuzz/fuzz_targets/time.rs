//! PING and PONG: decoding returns, and what decodes comes back. The checksum is made right first.
#![no_main]

use firmware_protocol::{PONG, PingBook, TimeMessage, crc};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut sealed = bytes.to_vec();
    if sealed.len() == PONG {
        let crc = crc::crc16(&sealed[..PONG - 2]);
        sealed[PONG - 2..].copy_from_slice(&crc.to_le_bytes());
    }
    for bytes in [bytes, &sealed] {
        let Ok(message) = TimeMessage::decode(bytes) else {
            continue;
        };
        let mut out = [0; PONG];
        assert_eq!(
            TimeMessage::decode(message.encode(&mut out).expect("it decoded")),
            Ok(message)
        );
        if let TimeMessage::Pong(pong) = message {
            let mut book = PingBook::default();
            book.ping(0);
            let _ = book.pong(&pong, 1_000_000);
        }
    }
});
