//! Device information (service 0x180A): who made a sensor, and which one it is.

use crate::sensors::link::Chan;
use crate::sensors::said::Identity;

/// Model: read.
pub const MODEL: Chan = Chan::sig(0x180A, 0x2A24);
/// Serial number: read.
pub const SERIAL: Chan = Chan::sig(0x180A, 0x2A25);
/// Firmware: read.
pub const FIRMWARE: Chan = Chan::sig(0x180A, 0x2A26);
/// Hardware: read.
pub const HARDWARE: Chan = Chan::sig(0x180A, 0x2A27);
/// Maker: read.
pub const MAKER: Chan = Chan::sig(0x180A, 0x2A29);

/// All of them, in the order they are asked for.
pub const ALL: [Chan; 5] = [SERIAL, MODEL, MAKER, FIRMWARE, HARDWARE];

/// Longest text kept, characters: the number comes from outside.
const LONGEST: usize = 64;

/// The text of one of these; `None` if nothing is left after trimming trailing zeros and spaces. Bytes that are not UTF-8
/// and control characters are replaced, so that the text can be shown.
#[must_use]
pub fn text(bytes: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(bytes);
    let kept: String = text
        .trim_matches(|c: char| c == '\0' || c.is_whitespace())
        .chars()
        .take(LONGEST)
        .map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c })
        .collect();
    (!kept.is_empty()).then_some(kept)
}

/// Puts what was read from `chan` into an identity; whether `chan` is one of these.
pub fn read_into(identity: &mut Identity, chan: Chan, bytes: &[u8]) -> bool {
    let place = match chan {
        SERIAL => &mut identity.id,
        MODEL => &mut identity.model,
        MAKER => &mut identity.maker,
        FIRMWARE => &mut identity.firmware,
        HARDWARE => &mut identity.hardware,
        _ => return false,
    };
    *place = text(bytes);
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zeros_and_spaces_are_trimmed_and_nothing_is_never_empty() {
        assert_eq!(text(b"H10 \0\0"), Some("H10".to_owned()));
        assert_eq!(text(b" \0"), None);
        assert_eq!(text(b""), None);
        assert_eq!(text(b"a\x1b[2Jb"), Some("a\u{fffd}[2Jb".to_owned()));
        assert_eq!(text(&[b'x'; 500]).map(|t| t.len()), Some(LONGEST));
        assert_eq!(text(&[0xFF, b'1']), Some("\u{fffd}1".to_owned()));
    }

    #[test]
    fn each_characteristic_has_its_place() {
        let mut who = Identity::default();
        for (n, chan) in ALL.into_iter().enumerate() {
            assert!(read_into(&mut who, chan, &[b'0' + n as u8]));
        }
        let all = [who.id, who.model, who.maker, who.firmware, who.hardware].map(Option::unwrap);
        assert_eq!(all.concat(), "01234");
        assert!(!read_into(&mut Identity::default(), Chan::sig(1, 1), b"x"));
    }
}
