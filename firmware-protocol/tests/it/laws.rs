//! Laws of the codec for every input: decoding returns, what was encoded comes back, damage shows.

use firmware_protocol::{
    CalibPiece, Calibration, CapsPage, CfgId, DataFrame, DataHeader, Entry, Event, Frame, FrameFlags, Gap, HighGEntry,
    Imu9Entry, ImuEntry, Indication, Kind, LONGEST_CONTROL, LONGEST_FRAME, LossReason, Mark, MarkCode, Payload,
    PodTime, Pong, Reply, Request, StreamId, TimeMessage, encode_data,
};
use proptest::prelude::*;

use crate::vectors::{bytes_of, cases};

/// Bytes that look like messages more often than noise does: vectors with some bytes changed, cut or repeated.
fn nearly_a_message() -> impl Strategy<Value = Vec<u8>> {
    let mut messages = Vec::new();
    for area in ["frame", "request", "reply", "event", "time"] {
        for list in ["valid", "tolerated", "refused"] {
            messages.extend(cases(list, area).iter().map(bytes_of));
        }
    }
    let edits = proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4);
    (
        prop::sample::select(messages),
        edits,
        any::<prop::sample::Index>(),
        any::<bool>(),
    )
        .prop_map(|(mut bytes, edits, cut, whole)| {
            if !bytes.is_empty() {
                for (at, value) in edits {
                    let at = at.index(bytes.len());
                    bytes[at] = value;
                }
                if !whole {
                    bytes.truncate(cut.index(bytes.len()));
                }
            }
            bytes
        })
}

fn any_bytes() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![proptest::collection::vec(any::<u8>(), 0..300), nearly_a_message()]
}

/// Makes the checksum right, so that the checks behind it are reached.
fn sealed(mut frame: Vec<u8>) -> Vec<u8> {
    if frame.len() >= 16 {
        let crc = firmware_protocol::crc::crc16_of_two(&frame[..14], &frame[16..]);
        frame[14..16].copy_from_slice(&crc.to_le_bytes());
    }
    frame
}

fn flags() -> impl Strategy<Value = FrameFlags> {
    any::<[bool; 5]>().prop_map(
        |[backfill, acc_clipped, gyr_clipped, after_gap, time_estimated]| FrameFlags {
            backfill,
            acc_clipped,
            gyr_clipped,
            after_gap,
            time_estimated,
        },
    )
}

prop_compose! {
    fn header()(stream in 0u8..8, flags in flags(), index in 0..u32::MAX - 38, us in 0..0xFFFF_FFFF_FFFFu64, cfg in 1u8..)
        -> DataHeader
    {
        DataHeader {
            stream: StreamId::new(stream).unwrap(),
            flags,
            index,
            time: PodTime::from_us(us).unwrap(),
            cfg_id: CfgId::new(cfg).unwrap(),
        }
    }
}

fn check_round_trip<E: Entry + PartialEq + std::fmt::Debug>(
    header: &DataHeader,
    entries: &[E],
    unpack: impl Fn(&Payload<'_>) -> Option<Vec<E>>,
) {
    let mut out = [0; LONGEST_FRAME];
    let written = encode_data(header, entries, &mut out).unwrap();
    let frame = Frame::decode(written).unwrap();
    assert_eq!(frame.encode(&mut [0; LONGEST_FRAME]).unwrap(), written);
    let Frame::Data(DataFrame { header: read, payload }) = frame else {
        panic!("data")
    };
    assert_eq!(read, *header);
    assert_eq!(unpack(&payload).unwrap(), entries);
}

fn some<E: Entry + std::fmt::Debug>(entry: impl Strategy<Value = E>) -> impl Strategy<Value = Vec<E>> {
    proptest::collection::vec(entry, 1..=E::KIND.most_entries())
}

fn check_single_bits<T: PartialEq + std::fmt::Debug>(bytes: &[u8], decode: impl Fn(&[u8]) -> Result<T, &'static str>) {
    let whole = decode(bytes).unwrap();
    for bit in 0..bytes.len() * 8 {
        let mut damaged = bytes.to_vec();
        damaged[bit / 8] ^= 1 << (bit % 8);
        match decode(&damaged) {
            // A changed version nibble is a version, everything else is a checksum.
            Err(rule) => assert!(rule == "crc" || (rule == "major" && bit < 8), "bit {bit}: {rule}"),
            Ok(other) => panic!("bit {bit} went unnoticed: {whole:?} became {other:?}"),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_decoder_returns_for_every_input(bytes in any_bytes()) {
        let _ = Frame::decode(&bytes).map_err(|refusal| refusal.to_string());
        let _ = Frame::decode(&sealed(bytes.clone()));
        let _ = Request::decode(&bytes).map_err(|refusal| refusal.to_string());
        let _ = Reply::decode(&bytes);
        let _ = Event::decode(&bytes);
        let _ = Indication::decode(&bytes);
        let _ = TimeMessage::decode(&bytes);
        let _ = CapsPage::new(0, 1, &bytes).map(|page| page.tlvs().count());
        let _ = Calibration::decode(&bytes);
    }

    #[test]
    fn what_decodes_encodes_and_decodes_to_the_same(bytes in any_bytes()) {
        let mut out = [0; LONGEST_CONTROL];
        for frame in [bytes.clone(), sealed(bytes.clone())] {
            if let Ok(frame) = Frame::decode(&frame) {
                prop_assert_eq!(Frame::decode(frame.encode(&mut out).unwrap()), Ok(frame));
            }
        }
        if let Ok(request) = Request::decode(&bytes) {
            prop_assert_eq!(request.encode(&mut out).unwrap(), &bytes[..], "requests have one form");
        }
        // A reply may be longer than this side makes them.
        if let Ok(reply) = Reply::decode(&bytes) && bytes.len() <= out.len() {
            prop_assert_eq!(Reply::decode(reply.encode(&mut out).unwrap()), Ok(reply));
        }
        if let Ok(event) = Event::decode(&bytes) {
            prop_assert_eq!(Event::decode(event.encode(&mut out).unwrap()), Ok(event));
        }
        if let Ok(message) = TimeMessage::decode(&bytes) {
            prop_assert_eq!(TimeMessage::decode(message.encode(&mut out).unwrap()), Ok(message));
        }
    }

    #[test]
    fn imu6_comes_back(header in header(), entries in some(any::<[i16; 6]>().prop_map(|[a, b, c, d, e, f]| {
        ImuEntry { acc: [a, b, c], gyr: [d, e, f] }
    }))) {
        check_round_trip(&header, &entries, |payload| match payload {
            Payload::Imu6(entries) => Some(entries.iter().collect()),
            _ => None,
        });
    }

    #[test]
    fn imu9_comes_back(header in header(), entries in some(any::<[i16; 9]>().prop_map(|[a, b, c, d, e, f, g, h, i]| {
        Imu9Entry { acc: [a, b, c], gyr: [d, e, f], mag: [g, h, i] }
    }))) {
        check_round_trip(&header, &entries, |payload| match payload {
            Payload::Imu9(entries) => Some(entries.iter().collect()),
            _ => None,
        });
    }

    #[test]
    fn high_g_comes_back(header in header(), entries in some(any::<[i16; 3]>().prop_map(|acc| HighGEntry { acc }))) {
        check_round_trip(&header, &entries, |payload| match payload {
            Payload::HighG(entries) => Some(entries.iter().collect()),
            _ => None,
        });
    }

    #[test]
    fn marks_come_back(header in header(), entries in some((any::<u8>(), any::<u8>(), 0..=0xFFFF_FFFF_FFFFu64).prop_map(
        |(code, arg, us)| Mark { code: MarkCode::new(code), arg, at: PodTime::from_us(us) },
    ))) {
        check_round_trip(&header, &entries, |payload| match payload {
            Payload::Marks(entries) => Some(entries.iter().collect()),
            _ => None,
        });
    }

    #[test]
    fn gaps_come_back(head in header(), count in 1u32.., known in any::<bool>(), reason in any::<u8>()) {
        let gap = Gap {
            stream: head.stream,
            flags: head.flags,
            index: head.index,
            time: known.then_some(head.time),
            cfg_id: known.then_some(head.cfg_id),
            count: count.min(u32::MAX - head.index),
            reason: LossReason::new(reason),
        };
        let mut out = [0; 24];
        prop_assert_eq!(Frame::decode(gap.encode(&mut out).unwrap()), Ok(Frame::Gap(gap)));
    }

    #[test]
    fn pieces_past_the_blob_are_not_made(total in any::<u16>(), offset in any::<u16>(), length in 0usize..40) {
        use firmware_protocol::{Answer, Body, Txn};
        let bytes = [7; 40];
        let piece = CalibPiece { total, offset, crc32: 1, bytes: &bytes[..length] };
        let reply = Reply { txn: Txn::new(1).unwrap(), answer: Answer::Done(Body::CalibRead(piece)) };
        let fits = usize::from(offset) + length <= usize::from(total);
        prop_assert_eq!(reply.encode(&mut [0; 64]).is_ok(), fits);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn each_single_flipped_bit_of_a_frame_is_noticed(header in header(), entries in some(any::<[i16; 6]>().prop_map(
        |[a, b, c, d, e, f]| ImuEntry { acc: [a, b, c], gyr: [d, e, f] },
    ))) {
        let mut out = [0; LONGEST_FRAME];
        let bytes = encode_data(&header, &entries, &mut out).unwrap();
        check_single_bits(bytes, |bytes| Frame::decode(bytes).map(|frame| frame.index()).map_err(|r| r.rule()));
    }

    #[test]
    fn each_single_flipped_bit_of_a_pong_is_noticed(seq in any::<u16>(), t2 in 0..1u64 << 47, held in 0..1u64 << 20) {
        let time = |us| PodTime::from_us(us).unwrap();
        let pong = TimeMessage::Pong(Pong { at_radio_event: false, seq, t2: time(t2), t3: time(t2 + held) });
        let bytes = pong.encode(&mut [0; 18]).unwrap().to_vec();
        check_single_bits(&bytes[1..], |tail| {
            // The head names version and kind: another kind has another length, so it is not damaged here.
            let whole = [&bytes[..1], tail].concat();
            TimeMessage::decode(&whole).map_err(|refusal| refusal.rule())
        });
    }
}

#[test]
fn damage_to_the_head_of_a_pong_is_refused() {
    let bytes = bytes_of(&cases("valid", "time")[1]);
    for bit in 0..8 {
        let mut damaged = bytes.clone();
        damaged[0] ^= 1 << bit;
        assert!(TimeMessage::decode(&damaged).is_err(), "bit {bit}");
    }
}

#[test]
fn no_kind_makes_a_frame_longer_than_one_packet() {
    for kind in Kind::ALL {
        let length = |entries: usize| 16 + entries * kind.entry_bytes();
        assert!(length(kind.most_entries()) <= LONGEST_FRAME);
        assert!(length(kind.most_entries() + 1) > LONGEST_FRAME, "the packet is used up");
    }
}
