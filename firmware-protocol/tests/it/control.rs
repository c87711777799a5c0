//! Requests, replies, events and time messages against the vectors.

use firmware_protocol::{
    Answer, Body, BootId, CalibPiece, CapsPage, CfgId, ClockCaps, Configuration, EndReason, Event, EventBody,
    FaultCode, Features, HelloReply, LimitCaps, Op, Ping, PingStamp, PodState, PodTime, PodUid, Pong, RangeDone,
    RangeOutcome, RangeSpan, Refusal, Reply, Request, RequestBody, RingCaps, RingStorage, Security, SessionId,
    SessionStream, SessionView, StartOrder, StartedSession, StartedStream, Status, StreamId, StreamStatus,
    TimeExchange, TimeMessage, Tlv, TlvWriter, Txn, Wish,
};
use serde_json::{Value, json};

use crate::vectors::{self, bytes_of, cases, from_hex, hex, hex64, int, int64};

/// A list of numbers of any width as JSON.
fn list(numbers: impl Iterator<Item = u32>) -> Value {
    numbers.collect::<Vec<_>>().into()
}

fn stream(value: &Value) -> StreamId {
    StreamId::new(int(value, "stream")).unwrap()
}

fn session(value: &Value) -> SessionId {
    SessionId::new(int64(value, "session_id")).unwrap()
}

fn time(value: &Value, field: &str) -> PodTime {
    PodTime::from_us(int(value, field)).unwrap()
}

fn cfg(value: &Value) -> Option<CfgId> {
    CfgId::new(int(value, "cfg_id"))
}

/// Adds the fields of `more` to `value`.
fn merged(mut value: Value, more: Value) -> Value {
    for (key, field) in more.as_object().unwrap() {
        value[key] = field.clone();
    }
    value
}

// ------------------------------------------------------------------------------------------------------------ requests

fn request_json(request: &Request) -> Value {
    let id = |session_id: &SessionId| json!({ "session_id": hex64(session_id.get()) });
    let body = match &request.body {
        RequestBody::Hello { host_major, host_minor } => json!({"host_major": host_major, "host_minor": host_minor}),
        RequestBody::GetCaps { page } => json!({ "page": page }),
        RequestBody::GetConfig { stream, cfg_id } => {
            json!({"stream": stream.get(), "cfg_id": cfg_id.map_or(0, CfgId::get)})
        }
        RequestBody::SetConfig(wish) => json!({
            "stream": wish.stream.get(), "flags": u8::from(wish.enabled), "rate_mhz": wish.rate_mhz,
            "acc_range_g": wish.acc_range_g, "gyr_range_dps": wish.gyr_range_dps,
        }),
        RequestBody::Start(order) => merged(
            id(&order.session_id),
            json!({"linger_s": order.linger_s, "flags": u8::from(order.force)}),
        ),
        RequestBody::Resume { session_id } | RequestBody::Stop { session_id } | RequestBody::Erase { session_id } => {
            id(session_id)
        }
        RequestBody::Range(span) => span_json(span),
        RequestBody::Ack { stream, upto } => json!({"stream": stream.get(), "upto": upto}),
        RequestBody::Identify { seconds, pattern } => json!({"seconds": seconds, "pattern": pattern}),
        RequestBody::CalibRead { offset } => json!({ "offset": offset }),
        RequestBody::GetStatus { stream } => json!({"stream": stream.get()}),
    };
    merged(json!({"op": request.body.op().name(), "txn": request.txn.get()}), body)
}

fn span_json(span: &RangeSpan) -> Value {
    json!({"stream": span.stream.get(), "first": span.first, "count": span.count})
}

fn op(value: &Value) -> Op {
    Op::ALL.into_iter().find(|op| value["op"] == op.name()).unwrap()
}

fn request_of(value: &Value) -> Request {
    let body = match op(value) {
        Op::Hello => RequestBody::Hello {
            host_major: int(value, "host_major"),
            host_minor: int(value, "host_minor"),
        },
        Op::GetCaps => RequestBody::GetCaps {
            page: int(value, "page"),
        },
        Op::GetConfig => RequestBody::GetConfig {
            stream: stream(value),
            cfg_id: cfg(value),
        },
        Op::SetConfig => RequestBody::SetConfig(Wish {
            stream: stream(value),
            enabled: int::<u8>(value, "flags") == 1,
            rate_mhz: int(value, "rate_mhz"),
            acc_range_g: int(value, "acc_range_g"),
            gyr_range_dps: int(value, "gyr_range_dps"),
        }),
        Op::Start => RequestBody::Start(StartOrder {
            session_id: session(value),
            linger_s: int(value, "linger_s"),
            force: int::<u8>(value, "flags") == 1,
        }),
        Op::Resume => RequestBody::Resume {
            session_id: session(value),
        },
        Op::Stop => RequestBody::Stop {
            session_id: session(value),
        },
        Op::Range => RequestBody::Range(span_of(value)),
        Op::Ack => RequestBody::Ack {
            stream: stream(value),
            upto: int(value, "upto"),
        },
        Op::Identify => RequestBody::Identify {
            seconds: int(value, "seconds"),
            pattern: int(value, "pattern"),
        },
        Op::CalibRead => RequestBody::CalibRead {
            offset: int(value, "offset"),
        },
        Op::GetStatus => RequestBody::GetStatus { stream: stream(value) },
        Op::Erase => RequestBody::Erase {
            session_id: session(value),
        },
    };
    Request {
        txn: Txn::new(int(value, "txn")).unwrap(),
        body,
    }
}

fn span_of(value: &Value) -> RangeSpan {
    RangeSpan {
        stream: stream(value),
        first: int(value, "first"),
        count: int(value, "count"),
    }
}

// -------------------------------------------------------------------------------------------- configurations and lists

fn configuration_json(c: &Configuration) -> Value {
    json!({
        "stream": c.stream.get(), "cfg_id": c.cfg_id.map_or(0, CfgId::get), "kind": c.kind_number,
        "flags": u8::from(c.enabled), "rate_mhz": c.rate_mhz, "acc_scale": c.acc_scale, "gyr_scale": c.gyr_scale,
        "mag_scale": c.mag_scale, "acc_range_g": c.acc_range_g, "gyr_range_dps": c.gyr_range_dps,
        "acc_delay_us": c.acc_delay_us, "gyr_delay_us": c.gyr_delay_us, "acc_clip": c.acc_clip,
        "gyr_clip": c.gyr_clip, "first_index": c.first_index.unwrap_or(u32::MAX),
    })
}

fn configuration_of(value: &Value) -> Configuration {
    Configuration {
        stream: stream(value),
        cfg_id: cfg(value),
        kind_number: int(value, "kind"),
        enabled: int::<u8>(value, "flags") == 1,
        rate_mhz: int(value, "rate_mhz"),
        acc_scale: int(value, "acc_scale"),
        gyr_scale: int(value, "gyr_scale"),
        mag_scale: int(value, "mag_scale"),
        acc_range_g: int(value, "acc_range_g"),
        gyr_range_dps: int(value, "gyr_range_dps"),
        acc_delay_us: int(value, "acc_delay_us"),
        gyr_delay_us: int(value, "gyr_delay_us"),
        acc_clip: int(value, "acc_clip"),
        gyr_clip: int(value, "gyr_clip"),
        first_index: Some(int(value, "first_index")).filter(|index| *index != u32::MAX),
    }
}

fn view_json(view: &SessionView) -> Value {
    let rows = view.streams.iter().map(
        |row| json!({"stream": row.stream.get(), "cfg_id": row.cfg_id.get(), "oldest": row.oldest, "next": row.next}),
    );
    json!({
        "state": view.state.get(), "reason": view.reason.get(),
        "session_boot_id": view.session_boot_id.map_or(0, BootId::get), "streams": rows.collect::<Vec<_>>(),
    })
}

fn view_of(value: &Value) -> SessionView {
    let row = |row: &Value| SessionStream {
        stream: stream(row),
        cfg_id: cfg(row).unwrap(),
        oldest: int(row, "oldest"),
        next: int(row, "next"),
    };
    SessionView {
        state: PodState::new(int(value, "state")),
        reason: EndReason::new(int(value, "reason")),
        session_boot_id: BootId::new(int(value, "session_boot_id")),
        streams: value["streams"].as_array().unwrap().iter().map(row).collect(),
    }
}

fn tlv_json(tlv: Tlv<'_>) -> Value {
    match tlv {
        Tlv::Vendor(text) => json!({"tlv": "vendor", "text": text}),
        Tlv::Product(text) => json!({"tlv": "product", "text": text}),
        Tlv::Firmware(text) => json!({"tlv": "firmware", "text": text}),
        Tlv::Hardware(text) => json!({"tlv": "hardware", "text": text}),
        Tlv::Stream(caps) => json!({
            "tlv": "stream", "stream": caps.stream.get(), "kind": caps.kind_number,
            "rates_mhz": list(caps.rates_mhz.iter()),
            "acc_ranges_g": list(caps.acc_ranges_g.iter()), "gyr_ranges_dps": list(caps.gyr_ranges_dps.iter()),
        }),
        Tlv::Ring(ring) => json!({
            "tlv": "ring", "stream": ring.stream.get(), "capacity": ring.capacity,
            "storage": match ring.storage {
                RingStorage::LostAtReboot => 0,
                RingStorage::Kept => 1,
                RingStorage::Other(number) => number,
            },
        }),
        Tlv::Limits(limits) => json!({
            "tlv": "limits", "max_range": limits.max_range, "max_linger_s": limits.max_linger_s,
            "max_configs": limits.max_configs,
        }),
        Tlv::Clock(clock) => json!({
            "tlv": "clock", "accuracy_ppm": clock.accuracy_ppm, "tick_ns": clock.tick_ns,
            "ping_stamp": match clock.ping_stamp {
                PingStamp::Software => 0,
                PingStamp::RadioEvent => 1,
                PingStamp::Other(number) => number,
            },
        }),
        Tlv::Features(features) => json!({"tlv": "features", "bits": features.bits}),
        Tlv::Unknown { type_number, value } => json!({"tlv": "unknown", "type": type_number, "value": hex(value)}),
        other => panic!("no JSON form for {other:?}"),
    }
}

fn push_tlv(writer: &mut TlvWriter<'_>, value: &Value) {
    let numbers = |field: &str| -> Vec<u32> {
        value[field]
            .as_array()
            .unwrap()
            .iter()
            .map(|number| number.as_u64().unwrap() as u32)
            .collect()
    };
    let text = value["text"].as_str().unwrap_or_default();
    let bytes = from_hex(value["value"].as_str().unwrap_or_default());
    let tlv = match value["tlv"].as_str().unwrap() {
        "vendor" => Tlv::Vendor(text),
        "product" => Tlv::Product(text),
        "firmware" => Tlv::Firmware(text),
        "hardware" => Tlv::Hardware(text),
        "stream" => {
            let kind = firmware_protocol::Kind::new(int(value, "kind")).unwrap();
            let ranges = |field| numbers(field).into_iter().map(|range| range as u16).collect::<Vec<_>>();
            let (acc, gyr) = (ranges("acc_ranges_g"), ranges("gyr_ranges_dps"));
            writer
                .push_stream(stream(value), kind, &numbers("rates_mhz"), &acc, &gyr)
                .unwrap();
            return;
        }
        "ring" => Tlv::Ring(RingCaps {
            stream: stream(value),
            capacity: int(value, "capacity"),
            storage: if value["storage"] == 1 {
                RingStorage::Kept
            } else {
                RingStorage::LostAtReboot
            },
        }),
        "limits" => Tlv::Limits(LimitCaps {
            max_range: int(value, "max_range"),
            max_linger_s: int(value, "max_linger_s"),
            max_configs: int(value, "max_configs"),
        }),
        "clock" => Tlv::Clock(ClockCaps {
            accuracy_ppm: int(value, "accuracy_ppm"),
            tick_ns: int(value, "tick_ns"),
            ping_stamp: if value["ping_stamp"] == 1 {
                PingStamp::RadioEvent
            } else {
                PingStamp::Software
            },
        }),
        "features" => Tlv::Features(Features {
            bits: int(value, "bits"),
        }),
        "unknown" => Tlv::Unknown {
            type_number: int(value, "type"),
            value: &bytes,
        },
        other => panic!("tlv {other}"),
    };
    writer.push(&tlv).unwrap();
}

// ------------------------------------------------------------------------------------------------------------- replies

fn hello_json(hello: &HelloReply) -> Value {
    let security = u8::from(hello.security.bond_required)
        | u8::from(hello.security.bonded) << 1
        | u8::from(hello.security.another_attached) << 2
        | u8::from(hello.security.pairing_open) << 3;
    json!({
        "major": hello.major, "minor": hello.minor, "state": hello.state.get(), "security": security,
        "n_streams": hello.n_streams, "boot_id": hello.boot_id.map_or(0, BootId::get),
        "pod_uid": hex64(hello.pod_uid.map_or(0, PodUid::get)),
    })
}

fn hello_of(value: &Value) -> HelloReply {
    let bit = |bit: u8| int::<u8>(value, "security") & 1 << bit != 0;
    HelloReply {
        major: int(value, "major"),
        minor: int(value, "minor"),
        state: PodState::new(int(value, "state")),
        security: Security {
            bond_required: bit(0),
            bonded: bit(1),
            another_attached: bit(2),
            pairing_open: bit(3),
        },
        n_streams: int(value, "n_streams"),
        boot_id: BootId::new(int(value, "boot_id")),
        pod_uid: PodUid::new(int64(value, "pod_uid")),
    }
}

fn body_json(body: &Body<'_>) -> Value {
    match body {
        Body::Hello(hello) => hello_json(hello),
        Body::GetCaps(page) => json!({
            "page": page.page(), "n_pages": page.n_pages(), "tlvs": page.tlvs().map(tlv_json).collect::<Vec<_>>(),
        }),
        Body::GetConfig(configuration) | Body::SetConfig(configuration) => configuration_json(configuration),
        Body::Start(started) => {
            let rows = started
                .streams
                .iter()
                .map(|row| json!({"stream": row.stream.get(), "cfg_id": row.cfg_id.get()}));
            json!({"t_us": started.time.as_us(), "streams": rows.collect::<Vec<_>>()})
        }
        Body::Resume(view) | Body::Stop(view) => view_json(view),
        Body::Range(span) => span_json(span),
        Body::Ack { stream, acked } => json!({"stream": stream.get(), "acked": acked}),
        Body::Identify | Body::Erase => json!({}),
        Body::CalibRead(piece) => json!({
            "total": piece.total, "offset": piece.offset, "crc32": piece.crc32, "bytes": hex(piece.bytes),
        }),
        Body::GetStatus(status) => json!({
            "state": status.state.get(), "t_us": status.time.as_us(),
            "battery_percent": status.battery_percent.unwrap_or(255),
            "temperature_cdeg": status.temperature_cdeg.unwrap_or(i16::MAX), "stream": status.stream.get(),
            "cfg_id": status.cfg_id.map_or(0, CfgId::get), "oldest": status.oldest, "next": status.next,
            "acked": status.acked, "overruns": status.overruns,
        }),
    }
}

fn reply_json(reply: &Reply<'_>) -> Value {
    let (status, body) = match &reply.answer {
        Answer::Done(body) => ("ok".into(), body_json(body)),
        Answer::NoCommonVersion(hello) => ("version".into(), hello_json(hello)),
        Answer::Refused {
            status: Status::Other(number),
            ..
        } => (format!("unknown_{number}"), json!({})),
        Answer::Refused { status, .. } => (status.name().to_string(), json!({})),
    };
    merged(
        json!({"op": reply.op().name(), "txn": reply.txn.get(), "status": status}),
        body,
    )
}

/// The bytes of a reply from its JSON form.
fn encode_reply_json(value: &Value) -> Vec<u8> {
    let mut tlvs = [0; 244];
    let mut writer = TlvWriter::new(&mut tlvs);
    for tlv in value["tlvs"].as_array().into_iter().flatten() {
        push_tlv(&mut writer, tlv);
    }
    let tlvs = writer.finish();
    let piece = from_hex(value["bytes"].as_str().unwrap_or_default());
    let body = || match op(value) {
        Op::Hello => Body::Hello(hello_of(value)),
        Op::GetCaps => Body::GetCaps(CapsPage::new(int(value, "page"), int(value, "n_pages"), tlvs).unwrap()),
        Op::GetConfig => Body::GetConfig(configuration_of(value)),
        Op::SetConfig => Body::SetConfig(configuration_of(value)),
        Op::Start => {
            let row = |row: &Value| StartedStream {
                stream: stream(row),
                cfg_id: cfg(row).unwrap(),
            };
            let streams = value["streams"].as_array().unwrap().iter().map(row).collect();
            Body::Start(StartedSession {
                time: time(value, "t_us"),
                streams,
            })
        }
        Op::Resume => Body::Resume(view_of(value)),
        Op::Stop => Body::Stop(view_of(value)),
        Op::Range => Body::Range(span_of(value)),
        Op::Ack => Body::Ack {
            stream: stream(value),
            acked: int(value, "acked"),
        },
        Op::Identify => Body::Identify,
        Op::CalibRead => Body::CalibRead(CalibPiece {
            total: int(value, "total"),
            offset: int(value, "offset"),
            crc32: int(value, "crc32"),
            bytes: &piece,
        }),
        Op::GetStatus => Body::GetStatus(StreamStatus {
            state: PodState::new(int(value, "state")),
            time: time(value, "t_us"),
            battery_percent: Some(int(value, "battery_percent")).filter(|percent| *percent != 255),
            temperature_cdeg: Some(int(value, "temperature_cdeg")).filter(|cdeg| *cdeg != i16::MAX),
            stream: stream(value),
            cfg_id: cfg(value),
            oldest: int(value, "oldest"),
            next: int(value, "next"),
            acked: int(value, "acked"),
            overruns: int(value, "overruns"),
        }),
        Op::Erase => Body::Erase,
    };
    let answer = match value["status"].as_str().unwrap() {
        "ok" => Answer::Done(body()),
        "version" => Answer::NoCommonVersion(hello_of(value)),
        name => {
            let status = (1..=18).map(Status::new).find(|status| status.name() == name).unwrap();
            Answer::Refused { op: op(value), status }
        }
    };
    let mut out = [0; 244];
    Reply {
        txn: Txn::new(int(value, "txn")).unwrap(),
        answer,
    }
    .encode(&mut out)
    .unwrap()
    .to_vec()
}

// ----------------------------------------------------------------------------------------------------- events and time

fn event_json(event: &Event) -> Value {
    let (name, body) = match &event.body {
        EventBody::ConfigChanged(configuration) => ("config_changed", configuration_json(configuration)),
        EventBody::SessionEnded {
            reason,
            session_id,
            time,
        } => (
            "session_ended",
            json!({"reason": reason.get(), "session_id": hex64(session_id.get()), "t_us": time.as_us()}),
        ),
        EventBody::RangeDone(done) => {
            let head = json!({"txn": done.txn.get(), "status": done.outcome.get(), "gaps": done.gaps});
            ("range_done", merged(head, span_json(&done.span)))
        }
        EventBody::BatteryLow { percent, minutes_left } => (
            "battery_low",
            json!({"percent": percent, "minutes_left": minutes_left.unwrap_or(u16::MAX)}),
        ),
        EventBody::Fault { code, detail } => ("fault", json!({"code": code.get(), "detail": detail})),
        other => panic!("no JSON form for {other:?}"),
    };
    merged(json!({"event": name, "seq": event.seq}), body)
}

fn event_of(value: &Value) -> Event {
    let body = match value["event"].as_str().unwrap() {
        "config_changed" => EventBody::ConfigChanged(configuration_of(value)),
        "session_ended" => EventBody::SessionEnded {
            reason: EndReason::new(int(value, "reason")),
            session_id: session(value),
            time: time(value, "t_us"),
        },
        "range_done" => EventBody::RangeDone(RangeDone {
            txn: Txn::new(int(value, "txn")).unwrap(),
            outcome: RangeOutcome::new(int(value, "status")),
            span: span_of(value),
            gaps: int(value, "gaps"),
        }),
        "battery_low" => EventBody::BatteryLow {
            percent: int(value, "percent"),
            minutes_left: Some(int(value, "minutes_left")).filter(|minutes| *minutes != u16::MAX),
        },
        "fault" => EventBody::Fault {
            code: FaultCode::new(int(value, "code")),
            detail: int(value, "detail"),
        },
        other => panic!("event {other}"),
    };
    Event {
        seq: int(value, "seq"),
        body,
    }
}

fn time_json(message: &TimeMessage) -> Value {
    match message {
        TimeMessage::Ping(ping) => json!({"time": "ping", "seq": ping.seq}),
        TimeMessage::Pong(pong) => json!({
            "time": "pong", "flags": u8::from(pong.at_radio_event), "seq": pong.seq,
            "t2_us": pong.t2.as_us(), "t3_us": pong.t3.as_us(),
        }),
    }
}

fn time_of(value: &Value) -> TimeMessage {
    if value["time"] == "ping" {
        return TimeMessage::Ping(Ping { seq: int(value, "seq") });
    }
    let at_radio_event = value["flags"] == 1;
    let (t2, t3) = (time(value, "t2_us"), time(value, "t3_us"));
    TimeMessage::Pong(Pong {
        at_radio_event,
        seq: int(value, "seq"),
        t2,
        t3,
    })
}

// --------------------------------------------------------------------------------------------------------------- tests

/// Each area: how many vectors it has, what decodes it to JSON, what encodes JSON.
pub(crate) struct Area {
    pub(crate) name: &'static str,
    /// Valid, tolerated, refused.
    counts: [usize; 3],
    pub(crate) decode: fn(&[u8]) -> Result<Value, Refusal>,
    encode: fn(&Value) -> Vec<u8>,
}

pub(crate) const AREAS: [Area; 4] = [
    Area {
        name: "request",
        counts: [17, 0, 18],
        decode: |bytes| Request::decode(bytes).map(|request| request_json(&request)),
        encode: |value| request_of(value).encode(&mut [0; 32]).unwrap().to_vec(),
    },
    Area {
        name: "reply",
        counts: [19, 5, 17],
        decode: |bytes| Reply::decode(bytes).map(|reply| reply_json(&reply)),
        encode: encode_reply_json,
    },
    Area {
        name: "event",
        counts: [5, 1, 3],
        decode: |bytes| Event::decode(bytes).map(|event| event_json(&event)),
        encode: |value| event_of(value).encode(&mut [0; 64]).unwrap().to_vec(),
    },
    Area {
        name: "time",
        counts: [3, 0, 8],
        decode: |bytes| TimeMessage::decode(bytes).map(|message| time_json(&message)),
        encode: |value| time_of(value).encode(&mut [0; 32]).unwrap().to_vec(),
    },
];

#[test]
fn valid_messages_decode_to_their_values_and_values_encode_to_their_bytes() {
    for area in AREAS {
        let cases = cases("valid", area.name);
        assert_eq!(cases.len(), area.counts[0], "{}", area.name);
        for case in cases {
            let value = (area.decode)(&bytes_of(&case)).unwrap_or_else(|refusal| panic!("{}: {refusal}", case["id"]));
            assert_eq!(value, case["value"], "{}", case["id"]);
            assert_eq!(hex(&(area.encode)(&case["value"])), case["hex"], "{}", case["id"]);
        }
    }
}

#[test]
fn tolerated_messages_decode_to_their_values() {
    for area in AREAS {
        let cases = cases("tolerated", area.name);
        assert_eq!(cases.len(), area.counts[1], "{}", area.name);
        for case in cases {
            assert_eq!(
                (area.decode)(&bytes_of(&case)).unwrap(),
                case["value"],
                "{}",
                case["id"]
            );
        }
    }
}

#[test]
fn refused_messages_name_the_rule_they_break() {
    for area in AREAS {
        let cases = cases("refused", area.name);
        assert_eq!(cases.len(), area.counts[2], "{}", area.name);
        for case in cases {
            let refusal = (area.decode)(&bytes_of(&case)).unwrap_err();
            assert_eq!(refusal.rule(), case["refused"], "{}: {refusal}", case["id"]);
        }
    }
}

#[test]
fn time_exchanges_match_the_vectors() {
    let file = vectors::all();
    for case in file["time_sync"].as_array().unwrap() {
        let exchange = TimeExchange {
            t1_ns: int(case, "t1_ns"),
            t2: time(case, "t2_us"),
            t3: time(case, "t3_us"),
            t4_ns: int(case, "t4_ns"),
        };
        assert_eq!(
            exchange.twice_offset_ns(),
            i128::from(int::<i64>(case, "twice_offset_ns")),
            "{case}"
        );
        assert_eq!(exchange.delay_ns(), i128::from(int::<i64>(case, "delay_ns")), "{case}");
        assert_eq!(exchange.bound_ns() * 2, exchange.delay_ns(), "{case}");
    }
}

#[test]
fn uuids_match_the_vectors() {
    use firmware_protocol::gatt;
    let all = [
        ("service", gatt::SERVICE),
        ("control", gatt::CONTROL),
        ("stream", gatt::STREAM),
        ("time", gatt::TIME),
        ("secure", gatt::SECURE),
    ];
    for (name, uuid) in all {
        let text = vectors::all()["uuids"][name].as_str().unwrap().replace('-', "");
        assert_eq!(format!("{uuid:032x}"), text, "{name}");
    }
}
