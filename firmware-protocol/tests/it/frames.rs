//! Frames against the vectors.

use firmware_protocol::{
    CfgId, DataFrame, DataHeader, EncodeError, Entry, Frame, FrameFlags, Gap, HighGEntry, Imu9Entry, ImuEntry, Kind,
    LONGEST_FRAME, LossReason, Mark, MarkCode, Payload, PodTime, Refusal, StreamId, crc, encode_data,
    entries_per_frame,
};
use serde_json::{Value, json};

use crate::vectors::{self, bytes_of, cases, hex, int};

const NO_TIME: u64 = 0xFFFF_FFFF_FFFF;

fn entries_json(payload: &Payload<'_>) -> Value {
    let rows: Vec<Value> = match payload {
        Payload::Imu6(entries) => entries
            .iter()
            .map(|e| json!([e.acc[0], e.acc[1], e.acc[2], e.gyr[0], e.gyr[1], e.gyr[2]]))
            .collect(),
        Payload::Imu9(entries) => entries.iter().map(|e| json!([e.acc, e.gyr, e.mag].concat())).collect(),
        Payload::HighG(entries) => entries.iter().map(|e| json!(e.acc)).collect(),
        Payload::Marks(entries) => entries
            .iter()
            .map(|e| json!([e.code.get(), e.arg, e.at.map_or(NO_TIME, PodTime::as_us)]))
            .collect(),
        other => panic!("no JSON form for {other:?}"),
    };
    rows.into()
}

/// The JSON form of a frame.
pub(crate) fn to_json(frame: &Frame<'_>) -> Value {
    let flags = frame.flags();
    let mut value = json!({
        "stream": frame.stream().get(),
        "backfill": flags.backfill,
        "acc_clipped": flags.acc_clipped,
        "gyr_clipped": flags.gyr_clipped,
        "after_gap": flags.after_gap,
        "time_estimated": flags.time_estimated,
        "index": frame.index(),
        "t_us": frame.time().map_or(NO_TIME, PodTime::as_us),
        "cfg_id": frame.cfg_id().map_or(0, CfgId::get),
    });
    match frame {
        Frame::Data(data) => {
            value["kind"] = data.payload.kind().name().into();
            value["entries"] = entries_json(&data.payload);
        }
        Frame::Gap(gap) => {
            value["kind"] = "gap".into();
            value["count"] = gap.count.into();
            value["reason"] = gap.reason.get().into();
        }
    }
    value
}

fn rows<const N: usize>(value: &Value) -> Vec<[i16; N]> {
    let row = |row: &Value| {
        let axes: Vec<i16> = row
            .as_array()
            .unwrap()
            .iter()
            .map(|axis| axis.as_i64().unwrap() as i16)
            .collect();
        <[i16; N]>::try_from(axes).unwrap()
    };
    value["entries"].as_array().unwrap().iter().map(row).collect()
}

/// The bytes of a frame from its JSON form.
pub(crate) fn encode_json(value: &Value) -> Vec<u8> {
    let flag = |name: &str| value[name].as_bool().unwrap();
    let flags = FrameFlags {
        backfill: flag("backfill"),
        acc_clipped: flag("acc_clipped"),
        gyr_clipped: flag("gyr_clipped"),
        after_gap: flag("after_gap"),
        time_estimated: flag("time_estimated"),
    };
    let stream = StreamId::new(int(value, "stream")).unwrap();
    let (index, time) = (int(value, "index"), PodTime::from_us(int(value, "t_us")));
    let cfg_id = CfgId::new(int(value, "cfg_id"));
    let mut out = [0; LONGEST_FRAME];
    if value["kind"] == "gap" {
        let reason = LossReason::new(int(value, "reason"));
        let gap = Gap {
            stream,
            flags,
            index,
            time,
            cfg_id,
            count: int(value, "count"),
            reason,
        };
        return gap.encode(&mut out).unwrap().to_vec();
    }
    let header = DataHeader {
        stream,
        flags,
        index,
        time: time.unwrap(),
        cfg_id: cfg_id.unwrap(),
    };
    let written = match value["kind"].as_str().unwrap() {
        "imu6" => {
            let entry = |[ax, ay, az, gx, gy, gz]: [i16; 6]| ImuEntry {
                acc: [ax, ay, az],
                gyr: [gx, gy, gz],
            };
            encode_data(
                &header,
                &rows(value).into_iter().map(entry).collect::<Vec<_>>(),
                &mut out,
            )
        }
        "imu9" => {
            let entry = |[ax, ay, az, gx, gy, gz, mx, my, mz]: [i16; 9]| Imu9Entry {
                acc: [ax, ay, az],
                gyr: [gx, gy, gz],
                mag: [mx, my, mz],
            };
            encode_data(
                &header,
                &rows(value).into_iter().map(entry).collect::<Vec<_>>(),
                &mut out,
            )
        }
        "high_g" => {
            let entries: Vec<_> = rows(value).into_iter().map(|acc| HighGEntry { acc }).collect();
            encode_data(&header, &entries, &mut out)
        }
        "marks" => {
            let mark = |row: &Value| Mark {
                code: MarkCode::new(row[0].as_u64().unwrap() as u8),
                arg: row[1].as_u64().unwrap() as u8,
                at: PodTime::from_us(row[2].as_u64().unwrap()),
            };
            let marks: Vec<_> = value["entries"].as_array().unwrap().iter().map(mark).collect();
            encode_data(&header, &marks, &mut out)
        }
        other => panic!("kind {other}"),
    };
    written.unwrap().to_vec()
}

#[test]
fn valid_frames_decode_to_their_values_and_values_encode_to_their_bytes() {
    let cases = cases("valid", "frame");
    assert_eq!(cases.len(), 12);
    for case in cases {
        let bytes = bytes_of(&case);
        let frame = Frame::decode(&bytes).unwrap_or_else(|refusal| panic!("{}: {refusal}", case["id"]));
        assert_eq!(to_json(&frame), case["value"], "{}", case["id"]);
        assert_eq!(hex(&encode_json(&case["value"])), case["hex"], "{}", case["id"]);
        let mut out = [0; LONGEST_FRAME];
        assert_eq!(
            hex(frame.encode(&mut out).unwrap()),
            case["hex"],
            "{} again",
            case["id"]
        );
    }
}

#[test]
fn tolerated_frames_decode_to_their_values() {
    let cases = cases("tolerated", "frame");
    assert_eq!(cases.len(), 1);
    for case in cases {
        assert_eq!(
            to_json(&Frame::decode(&bytes_of(&case)).unwrap()),
            case["value"],
            "{}",
            case["id"]
        );
    }
}

#[test]
fn refused_frames_name_the_rule_they_break() {
    let cases = cases("refused", "frame");
    assert_eq!(cases.len(), 25);
    for case in cases {
        let refusal = Frame::decode(&bytes_of(&case)).unwrap_err();
        assert_eq!(refusal.rule(), case["refused"], "{}: {refusal}", case["id"]);
    }
}

#[test]
fn checksums_match_the_vectors() {
    for case in vectors::all()["crc"].as_array().unwrap() {
        let input = vectors::from_hex(case["input"].as_str().unwrap());
        let value = match case["name"].as_str().unwrap() {
            "CRC-16/IBM-3740" => u32::from(crc::crc16(&input)),
            "CRC-32/ISO-HDLC" => crc::crc32(&input),
            other => panic!("checksum {other}"),
        };
        assert_eq!(value, int::<u32>(case, "value"), "{case}");
    }
}

#[test]
fn entries_per_frame_match_the_vectors() {
    for case in vectors::all()["entries_per_frame"].as_array().unwrap() {
        let kind = Kind::ALL.into_iter().find(|kind| case["kind"] == kind.name()).unwrap();
        assert_eq!(
            entries_per_frame(kind, int(case, "mtu")),
            int::<usize>(case, "entries"),
            "{case}"
        );
    }
    assert_eq!(
        entries_per_frame(Kind::Imu6, 23),
        0,
        "not even one sample fits the smallest MTU"
    );
}

#[test]
fn a_sender_refuses_to_make_what_a_receiver_refuses() {
    let header = DataHeader {
        stream: StreamId::FIRST,
        flags: FrameFlags::default(),
        index: u32::MAX - 1,
        time: PodTime::BOOT,
        cfg_id: CfgId::new(1).unwrap(),
    };
    let mut out = [0; 300];
    let entries = [ImuEntry::default(); 20];
    let rule = |result: Result<&[u8], EncodeError>| match result {
        Err(EncodeError::Rule(refusal)) => refusal.rule(),
        other => panic!("{other:?}"),
    };
    assert_eq!(rule(encode_data(&header, &entries[..0], &mut out)), "count");
    assert_eq!(rule(encode_data(&header, &entries, &mut out)), "count");
    assert_eq!(rule(encode_data(&header, &entries[..2], &mut out)), "index");
    assert_eq!(
        encode_data(&header, &entries[..1], &mut out[..27]),
        Err(EncodeError::Buffer { need: 28, got: 27 }),
        "one byte short"
    );
    let (time, cfg_id, reason) = (None, None, LossReason::Overwritten);
    let gap = Gap {
        stream: StreamId::FIRST,
        flags: FrameFlags::default(),
        index: 5,
        time,
        cfg_id,
        count: 0,
        reason,
    };
    assert_eq!(rule(gap.encode(&mut out)), "count");
    assert_eq!(rule(Gap { count: u32::MAX, ..gap }.encode(&mut out)), "index");
    assert_eq!(
        Gap { count: 1, ..gap }.encode(&mut out[..23]),
        Err(EncodeError::Buffer { need: 24, got: 23 })
    );
}

#[test]
fn entries_can_be_picked_and_counted() {
    let bytes = bytes_of(&cases("valid", "frame")[1]);
    let Frame::Data(DataFrame {
        payload: Payload::Imu6(entries),
        ..
    }) = Frame::decode(&bytes).unwrap()
    else {
        panic!("an imu6 frame")
    };
    assert_eq!(entries.len(), 19);
    assert_eq!(entries.get(18), entries.iter().last());
    assert_eq!(entries.get(19), None);
    assert_eq!(entries.iter().len(), 19);
}

#[test]
fn short_places_and_short_bytes_do_not_panic() {
    let mut place = [0; 5];
    ImuEntry {
        acc: [1, 2, 3],
        gyr: [4, 5, 6],
    }
    .write(&mut place);
    assert_eq!(ImuEntry::read(&place).acc, [1, 2, 0]);
    assert_eq!(Mark::read(&[4]).code, MarkCode::Tap);
}

#[test]
fn a_refusal_says_what_it_needs_and_what_it_got() {
    let text = Frame::decode(&[0x10; 15]).unwrap_err().to_string();
    assert_eq!(text, "truncated: need at least 16 bytes, got 15");
    assert_eq!(Frame::decode(&[]), Err(Refusal::Truncated { need: 16, got: 0 }));
}

mod builder {
    use firmware_protocol::{ClipLimits, Continuity, FrameBuilder, Pushed, SampleHead};

    use super::*;

    const LIMITS: ClipLimits = ClipLimits {
        acc: Some(1000),
        gyr: Some(2000),
    };

    fn head(index: u32) -> SampleHead {
        let time = PodTime::from_us(1000 + u64::from(index) * 2400).unwrap();
        SampleHead {
            index,
            time,
            cfg_id: CfgId::new(3).unwrap(),
            continuity: Continuity::Follows,
        }
    }

    #[test]
    fn a_built_frame_is_the_frame_encoded_at_once() {
        let mut builder = FrameBuilder::new(StreamId::FIRST, 100);
        let entries: Vec<ImuEntry> = (0..6)
            .map(|i| ImuEntry {
                acc: [i, -i, 999],
                gyr: [0, 2 * i, -1999],
            })
            .collect();
        for (index, entry) in entries.iter().enumerate() {
            let pushed = builder.push(head(index as u32 + 7), *entry, LIMITS);
            assert_eq!(pushed, if index == 5 { Pushed::Full } else { Pushed::Room });
        }
        assert_eq!(
            builder.push(head(13), entries[0], LIMITS),
            Pushed::NotTaken,
            "it is full"
        );
        let header = DataHeader {
            stream: StreamId::FIRST,
            flags: FrameFlags::default(),
            index: 7,
            time: head(7).time,
            cfg_id: head(7).cfg_id,
        };
        let (mut out, mut sent) = ([0; LONGEST_FRAME], Vec::new());
        builder.finish(|frame| sent = frame.to_vec()).unwrap();
        assert_eq!(sent, encode_data(&header, &entries, &mut out).unwrap());
        assert!(builder.is_empty());
    }

    #[test]
    fn clipping_is_marked_for_the_frame_it_is_in_and_no_other() {
        let mut builder = FrameBuilder::new(StreamId::FIRST, 247);
        let mut frames = Vec::new();
        for acc_x in [999, -1000, 999] {
            builder.push(
                head(0),
                ImuEntry {
                    acc: [acc_x, 0, 0],
                    gyr: [0; 3],
                },
                LIMITS,
            );
            builder
                .finish(|frame| frames.push(Frame::decode(frame).unwrap().flags().acc_clipped))
                .unwrap();
        }
        assert_eq!(frames, [false, true, false], "|count| >= limit, both signs");
    }

    #[test]
    fn a_frame_ends_at_a_seam_at_an_overrun_and_at_a_missing_index() {
        let base = head(5);
        let breaks = [
            SampleHead {
                cfg_id: CfgId::new(4).unwrap(),
                ..head(6)
            },
            SampleHead {
                continuity: Continuity::AfterOverrun,
                ..head(6)
            },
            head(7),
            head(5),
        ];
        for next in breaks {
            let mut builder = FrameBuilder::new(StreamId::FIRST, 247);
            assert_eq!(builder.push(base, ImuEntry::default(), LIMITS), Pushed::Room);
            assert_eq!(
                builder.push(next, ImuEntry::default(), LIMITS),
                Pushed::NotTaken,
                "{next:?}"
            );
            builder
                .finish(|frame| assert_eq!(Frame::decode(frame).unwrap().end(), 6))
                .unwrap();
            assert_eq!(builder.push(next, ImuEntry::default(), LIMITS), Pushed::Room);
            let after_gap = next.continuity == Continuity::AfterOverrun;
            builder
                .finish(|frame| assert_eq!(Frame::decode(frame).unwrap().flags().after_gap, after_gap))
                .unwrap();
        }
    }

    #[test]
    fn finishing_an_empty_frame_sends_nothing() {
        let mut builder = FrameBuilder::<HighGEntry>::new(StreamId::FIRST, 247);
        builder.finish(|_| panic!("nothing to send")).unwrap();
    }
}
