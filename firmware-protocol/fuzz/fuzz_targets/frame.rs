//! Frames: decoding returns for every input, and what decodes encodes to something that decodes to the same.
//!
//! The checksum is made right first, or the fuzzer would hardly ever get past it.
#![no_main]

use firmware_protocol::{Frame, LONGEST_FRAME, Payload, QueueFill, StreamTracker, crc};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = Frame::decode(bytes);
    let mut sealed = bytes.to_vec();
    if sealed.len() >= 16 {
        let crc = crc::crc16_of_two(&sealed[..14], &sealed[16..]);
        sealed[14..16].copy_from_slice(&crc.to_le_bytes());
    }
    let Ok(frame) = Frame::decode(&sealed) else { return };
    let mut out = [0; LONGEST_FRAME];
    let again = frame.encode(&mut out).expect("what decodes can be encoded");
    assert_eq!(Frame::decode(again), Ok(frame));
    if let Frame::Data(data) = &frame {
        let entries = match data.payload {
            Payload::Imu6(entries) => entries.iter().count(),
            Payload::Imu9(entries) => entries.iter().count(),
            Payload::HighG(entries) => entries.iter().count(),
            Payload::Marks(entries) => entries.iter().count(),
            _ => data.payload.len(),
        };
        assert_eq!(entries, data.payload.len());
    }
    let mut tracker = StreamTracker::<4>::new(frame.stream());
    let first = tracker.take_frame(&frame, 0);
    let second = tracker.take_frame(&frame, 1);
    assert_eq!(second.fresh, 0, "the second copy is a duplicate");
    assert!(first.fresh.count_ones() <= frame.count());
    let _ = tracker.next_range(1_000_000_000, u16::MAX, QueueFill::HasRoom);
});
