//! H4 framing: where one HCI packet ends and the next begins in a stream of bytes.

/// Bytes of head after the indicator, and where the length stands in them, by kind of packet.
const ACL_HEAD: usize = 4;
const EVENT_HEAD: usize = 2;
const SYNC_HEAD: usize = 3;
/// The two highest bits of an ISO length are not its own.
const ISO_LENGTH: u16 = 0x3FFF;
/// The first byte names no kind of packet that a controller sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct UnknownPacket;

/// Length of the first packet with its indicator; `None` when it cannot be told yet.
pub(crate) fn packet_length(bytes: &[u8]) -> Result<Option<usize>, UnknownPacket> {
    let Some((indicator, rest)) = bytes.split_first() else {
        return Ok(None);
    };
    let u16_at = |at: usize| Some(u16::from_le_bytes([*rest.get(at)?, *rest.get(at + 1)?]));
    let length = match indicator {
        2 => u16_at(2).map(|length| ACL_HEAD + usize::from(length)),
        3 => rest.get(2).map(|length| SYNC_HEAD + usize::from(*length)),
        4 => rest.get(1).map(|length| EVENT_HEAD + usize::from(*length)),
        5 => u16_at(2).map(|length| ACL_HEAD + usize::from(length & ISO_LENGTH)),
        _ => return Err(UnknownPacket),
    };
    Ok(length.map(|length| 1 + length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_length_of_a_packet_stands_in_its_head() {
        let told = |bytes: &[u8]| packet_length(bytes).expect("a known kind");
        assert_eq!(told(&[]), None);
        assert_eq!(told(&[2, 1, 0, 4]), None, "half a length");
        assert_eq!(told(&[2, 1, 0, 4, 1]), Some(1 + 4 + 0x104));
        assert_eq!(told(&[4, 0x0e, 4, 1]), Some(1 + 2 + 4));
        assert_eq!(told(&[5, 0, 0, 3, 0xC0]), Some(1 + 4 + 3));
        assert!(packet_length(&[9]).is_err());
    }
}
