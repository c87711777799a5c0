//! What messages mean beyond their bytes: numbers of operations, calibrations, pairs of PING and PONG, required
//! capabilities, and what a sender refuses to make.

use firmware_protocol::{
    Answer, Body, CalibAssembly, CalibPiece, CalibProgress, Calibration, CapsChecklist, CapsPage, EncodeError,
    Indication, Kind, MissingCapability, Op, PingBook, PodTime, Pong, RangeSpan, Refusal, Reply, Request, RequestBody,
    RingCaps, RingStorage, SensorCalibration, SessionId, Status, StreamId, Tlv, TlvWriter, Txn, acc_scale_of_range,
    crc, gyr_scale_of_range, ping_interval_ns,
};

use crate::vectors::from_hex;

fn txn() -> Txn {
    Txn::new(7).unwrap()
}

#[test]
fn operations_count_from_one_without_a_hole() {
    for (at, op) in Op::ALL.into_iter().enumerate() {
        assert_eq!(usize::from(op.get()), at + 1);
        assert_eq!(Op::new(op.get()), Some(op));
    }
    assert_eq!((Op::new(0), Op::new(14), Op::new(0x80)), (None, None, None));
}

#[test]
fn a_host_refuses_to_make_a_request_that_a_pod_refuses() {
    let stream = StreamId::FIRST;
    let bodies = [
        RequestBody::Hello {
            host_major: 0,
            host_minor: 0,
        },
        RequestBody::Range(RangeSpan {
            stream,
            first: 3,
            count: 0,
        }),
        RequestBody::Range(RangeSpan {
            stream,
            first: u32::MAX,
            count: 1,
        }),
        RequestBody::Ack { stream, upto: u32::MAX },
        RequestBody::Identify {
            seconds: 31,
            pattern: 0,
        },
        RequestBody::Identify { seconds: 0, pattern: 4 },
    ];
    for body in bodies {
        let error = Request { txn: txn(), body }.encode(&mut [0; 16]).unwrap_err();
        assert!(
            matches!(error, EncodeError::Rule(Refusal::Param { .. })),
            "{body:?}: {error}"
        );
    }
}

#[test]
fn a_pod_answers_each_unreadable_write_as_section_5_4_says() {
    let answered = |hex: &str| {
        let write = from_hex(hex);
        Reply::to_unreadable(&write, &Request::decode(&write).unwrap_err())
    };
    assert_eq!(answered("2a07"), Some([0xAA, 7, 1]), "op");
    assert_eq!(answered("010701"), Some([0x81, 7, 2]), "length");
    assert_eq!(answered("0a07ff00"), Some([0x8A, 7, 3]), "param");
    assert_eq!(answered("01"), None, "ATT error 0D");
    assert_eq!(
        answered("2a00"),
        Some([0xAA, 0, 1]),
        "op comes before a transaction of 0"
    );
}

#[test]
fn a_reply_that_would_be_read_as_another_is_not_made() {
    for answer in [
        Answer::Refused {
            op: Op::Hello,
            status: Status::Version,
        },
        Answer::Refused {
            op: Op::Start,
            status: Status::Other(0),
        },
    ] {
        assert!(Reply { txn: txn(), answer }.encode(&mut [0; 32]).is_err(), "{answer:?}");
    }
}

#[test]
fn the_first_bit_tells_replies_from_events() {
    assert!(matches!(
        Indication::decode(&from_hex("8a0700")),
        Ok(Indication::Reply(_))
    ));
    assert!(matches!(
        Indication::decode(&from_hex("4402090c00")),
        Ok(Indication::Event(_))
    ));
    assert_eq!(Indication::decode(&[]).unwrap_err().rule(), "truncated");
}

#[test]
fn replies_and_events_with_a_stream_a_time_or_a_configuration_that_cannot_be_are_refused() {
    let rule = |hex: &str| Indication::decode(&from_hex(hex)).unwrap_err().rule();
    assert_eq!(rule("89070008ffff0000"), "param", "stream 8 in an ACK reply");
    assert_eq!(rule("850700ffffffffffff00"), "time", "START without a time");
    assert_eq!(
        rule("85070000000000000001 0000".replace(' ', "").as_str()),
        "cfg_id",
        "a stream without a configuration"
    );
    assert_eq!(
        rule("4200010000000000000000000000000000"),
        "param",
        "the end of session 0"
    );
    assert_eq!(rule("82070000011006080000000000"), "param", "capabilities of stream 8");
}

#[test]
fn scales_of_full_ranges_are_those_of_the_specification() {
    assert_eq!(acc_scale_of_range(16), 4_788_403);
    assert_eq!(gyr_scale_of_range(2000), 1_065_264);
    assert_eq!(acc_scale_of_range(u16::MAX), u32::MAX, "clamped");
    // The definition in floating point, to the accuracy the integer promises.
    for range in [2u16, 8, 16, 32, 320] {
        let exact = f64::from(range) * 9.80665e9 / 32768.0;
        assert!(
            (f64::from(acc_scale_of_range(range)) - exact).abs() <= 0.5,
            "±{range} g"
        );
    }
    for range in [125u16, 500, 2000, 4000] {
        let exact = f64::from(range).to_radians() * 1e9 / 32768.0;
        assert!(
            (f64::from(gyr_scale_of_range(range)) - exact).abs() <= 0.51,
            "±{range} °/s"
        );
    }
}

#[test]
fn session_ids_compare_by_value() {
    let (one, two) = (SessionId::new(1 << 63).unwrap(), SessionId::new(1).unwrap());
    assert!(one.matches_in_constant_time(one));
    assert!(!one.matches_in_constant_time(two));
}

#[test]
fn a_repeated_capability_counts_once_but_streams_and_rings_repeat() {
    let mut bytes = [0; 100];
    let mut writer = TlvWriter::new(&mut bytes);
    for kind in [Kind::Imu6, Kind::HighG] {
        let stream = StreamId::new(kind.get() / 2).unwrap();
        writer.push_stream(stream, kind, &[104_000], &[16], &[]).unwrap();
        writer
            .push(&Tlv::Ring(RingCaps {
                stream,
                capacity: 9,
                storage: RingStorage::Kept,
            }))
            .unwrap();
        writer.push(&Tlv::Vendor("a")).unwrap();
        writer
            .push(&Tlv::Unknown {
                type_number: 0x90,
                value: &[kind.get()],
            })
            .unwrap();
    }
    let page = CapsPage::new(0, 1, writer.finish()).unwrap();
    let types: Vec<u8> = page.tlvs().map(|tlv| tlv.type_number()).collect();
    assert_eq!(types, [0x10, 0x11, 0x01, 0x90, 0x10, 0x11]);
}

#[test]
fn a_value_of_more_than_255_bytes_is_not_made() {
    let mut bytes = [0; 600];
    let long = [b'x'; 256];
    let text = core::str::from_utf8(&long).unwrap();
    assert!(TlvWriter::new(&mut bytes).push(&Tlv::Vendor(text)).is_err());
    assert!(
        TlvWriter::new(&mut bytes)
            .push_stream(StreamId::FIRST, Kind::Imu6, &[1; 63], &[], &[])
            .is_err()
    );
    assert!(
        TlvWriter::new(&mut bytes)
            .push_stream(StreamId::FIRST, Kind::Imu6, &[1; 62], &[], &[])
            .is_ok()
    );
}

#[test]
fn what_every_pod_must_tell_is_ticked_off() {
    // Vendor, product, firmware, limits, clock, then stream 0 and its ring.
    let hex = "82070000010101610201620301631205001010000813071400e803000000100500000000001106002c01000000";
    let bytes = from_hex(hex);
    let Ok(Reply {
        answer: Answer::Done(Body::GetCaps(page)),
        ..
    }) = Reply::decode(&bytes)
    else {
        panic!("{:?}", Reply::decode(&bytes))
    };
    let mut list = CapsChecklist::default();
    let mut missing = vec![list.missing(1)];
    for tlv in page.tlvs() {
        list.note(&tlv);
        missing.push(list.missing(1));
    }
    let once = |type_number| Some(MissingCapability::Once { type_number });
    let first = StreamId::FIRST;
    let expected = [
        once(1),
        once(2),
        once(3),
        once(0x12),
        once(0x13),
        Some(MissingCapability::Stream(first)),
        Some(MissingCapability::Ring(first)),
        None,
    ];
    assert_eq!(missing, expected);
    assert_eq!(
        list.missing(2),
        StreamId::new(1).map(MissingCapability::Stream),
        "a second stream was promised"
    );
}

#[test]
fn a_calibration_comes_back_from_pieces() {
    let tilted = SensorCalibration {
        offset: [0.5, -0.25, 0.0],
        matrix: [[1.0, 0.125, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 0.875]],
    };
    let sent = Calibration {
        acc: Some(tilted),
        gyr: Some(SensorCalibration::IDENTITY),
        temperature_cdeg: Some(-50),
    };
    let mut out = [0; 128];
    let blob = sent.encode(&mut out).unwrap();
    let (total, crc32) = (blob.len() as u16, crc::crc32(blob));
    let mut room = [0; 128];
    let mut assembly = CalibAssembly::new(&mut room);
    for (at, bytes) in blob.chunks(40).enumerate() {
        let offset = at as u16 * 40;
        let piece = CalibPiece {
            total,
            offset,
            crc32,
            bytes,
        };
        let progress = assembly.take(&piece).unwrap();
        let end = offset + bytes.len() as u16;
        let expected = if end == total {
            CalibProgress::Complete
        } else {
            CalibProgress::Next { offset: end }
        };
        assert_eq!(progress, expected);
        assert!(assembly.take(&piece).is_err(), "the same piece twice");
    }
    assert_eq!(Calibration::decode(assembly.blob()), Ok(sent));
    assert_eq!(tilted.apply([1.5, 0.75, 2.0]), [1.0 + 0.125, 1.0, 1.75]);
}

#[test]
fn a_blob_with_a_wrong_checksum_or_longer_than_the_buffer_is_refused() {
    let piece = CalibPiece {
        total: 4,
        offset: 0,
        crc32: 1,
        bytes: &[1, 2, 3, 4],
    };
    assert_eq!(CalibAssembly::new(&mut [0; 4]).take(&piece).unwrap_err().rule(), "crc");
    assert_eq!(
        CalibAssembly::new(&mut [0; 3]).take(&piece).unwrap_err().rule(),
        "length"
    );
    let nothing = CalibPiece {
        total: 4,
        offset: 0,
        crc32: 1,
        bytes: &[],
    };
    assert_eq!(
        CalibAssembly::new(&mut [0; 4]).take(&nothing).unwrap_err().rule(),
        "length",
        "it would never end"
    );
}

#[test]
fn a_calibration_that_no_sensor_can_have_is_refused() {
    let mut wrong = [SensorCalibration::IDENTITY; 4];
    wrong[0].offset[1] = f32::INFINITY;
    wrong[1].matrix[2][2] = 0.75;
    wrong[2].matrix[0][1] = f32::NAN;
    wrong[3].matrix[0][1] = -0.25;
    for acc in wrong {
        let sent = Calibration {
            acc: Some(acc),
            ..Calibration::default()
        };
        assert!(sent.encode(&mut [0; 64]).is_err());
        let mut blob = vec![1, 48];
        let values = acc.offset.iter().chain(acc.matrix.iter().flatten());
        blob.extend(values.flat_map(|value| value.to_le_bytes()));
        assert_eq!(Calibration::decode(&blob).unwrap_err().rule(), "calibration");
    }
    assert_eq!(Calibration::decode(&[1, 47]).unwrap_err().rule(), "length");
    assert_eq!(
        Calibration::decode(&[0x77, 1, 0]),
        Ok(Calibration::default()),
        "unknown types are skipped"
    );
}

#[test]
fn a_pong_completes_only_the_latest_ping_once_and_in_time() {
    let mut book = PingBook::default();
    let us = |us| PodTime::from_us(us).unwrap();
    let pong = |seq| Pong {
        at_radio_event: false,
        seq,
        t2: us(5_000),
        t3: us(5_100),
    };
    let first = book.ping(1_000_000).seq;
    let second = book.ping(2_000_000).seq;
    assert_ne!(first, second);
    assert_eq!(book.pong(&pong(first), 3_000_000), None, "superseded");
    assert_eq!(book.pong(&pong(second), 22_000_000).unwrap().delay_ns(), 19_900_000);
    assert_eq!(book.pong(&pong(second), 22_000_000), None, "doubled");
    let late = book.ping(0).seq;
    assert_eq!(book.pong(&pong(late), 1_000_000_001), None, "later than a second");
    let stepped = book.ping(5_000_000).seq;
    assert_eq!(book.pong(&pong(stepped), 4_000_000), None, "the host's clock went back");
    let odd = book.ping(0).seq;
    let exchange = book.pong(&pong(odd), 100_001).unwrap();
    assert_eq!(
        (exchange.delay_ns(), exchange.bound_ns()),
        (1, 1),
        "half of an odd delay is rounded up"
    );
    assert_eq!(
        (ping_interval_ns(9), ping_interval_ns(10)),
        (1_000_000_000, 2_000_000_000)
    );
}
