//! SPEC.md names what the code names.

use firmware_protocol::{FRAME_HEADER, GAP_FRAME, Kind, LONGEST_FRAME, Op, Refusal, Status, gatt};

const SPEC: &str = include_str!("../../SPEC.md");

#[track_caller]
fn says(text: &str) {
    assert!(SPEC.contains(text), "SPEC.md does not say: {text}");
}

#[test]
fn operations_statuses_and_kinds_have_the_numbers_of_the_specification() {
    for op in Op::ALL {
        says(&format!("| {:02X} | {} |", op.get(), op.name().to_uppercase()));
    }
    for number in 1..=18 {
        says(&format!("| {number} | {} |", Status::new(number).name()));
    }
    for kind in Kind::ALL {
        let (bytes, most) = (kind.entry_bytes(), kind.most_entries());
        says(&format!("| {} | {} | {bytes} | 1–{most} |", kind.get(), kind.name()));
    }
}

#[test]
fn each_rule_by_which_bytes_are_refused_is_in_the_specification() {
    let rules = [
        Refusal::Truncated { need: 0, got: 0 },
        Refusal::Major { got: 0 },
        Refusal::Crc { stated: 0, computed: 0 },
        Refusal::UnknownKind { kind: 0 },
        Refusal::UnknownEvent { op: 0 },
        Refusal::Count { got: 0, most: 0 },
        Refusal::Length { need: 0, got: 0 },
        Refusal::CfgId,
        Refusal::Index { first: 0, count: 0 },
        Refusal::Time,
        Refusal::Op { op: 0 },
        Refusal::Param { field: "" },
        Refusal::AttLength { got: 0 },
        Refusal::Utf8,
        Refusal::Calibration,
    ];
    for rule in rules {
        says(&format!("`{}`", rule.rule()));
    }
}

#[test]
fn sizes_and_uuids_are_those_of_the_specification() {
    says(&format!("No frame exceeds {LONGEST_FRAME} bytes"));
    says(&format!("fewer than {FRAME_HEADER} bytes"));
    says(&format!("{GAP_FRAME} bytes, n = 0"));
    says(&format!("ATT MTU below {}", gatt::SMALLEST_MTU));
    let base = format!("{:032x}", gatt::SERVICE);
    assert_eq!(&base[..4], "54a2");
    says("54a2xxxx-2c99-44ec-86ea-90cae2ea7924");
    assert_eq!(&base[8..], "2c9944ec86ea90cae2ea7924");
}
