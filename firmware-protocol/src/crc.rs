//! The two checksums of the protocol.
//!
//! [`crc16`] (CRC-16/IBM-3740) guards each frame and each PONG, [`crc32`] (CRC-32/ISO-HDLC) guards a calibration blob.
//! Both are table driven, one byte a step: the 16-bit table costs 512 bytes of flash, and a full frame of 19 samples is
//! checked in well under a microsecond on a host. The 32-bit one is used once a connection, so it goes bit by bit and
//! needs no table.

const CRC16_POLYNOMIAL: u16 = 0x1021;
const CRC16_START: u16 = 0xFFFF;
/// 04C1 1DB7 with its bits reversed: the reflected form shifts right and so works on bytes as they come.
const CRC32_POLYNOMIAL_REFLECTED: u32 = 0xEDB8_8320;

const CRC16_TABLE: [u16; 256] = crc16_table();

const fn crc16_table() -> [u16; 256] {
    let mut table = [0u16; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = (byte as u16) << 8;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 0x8000 != 0 {
                (crc << 1) ^ CRC16_POLYNOMIAL
            } else {
                crc << 1
            };
            bit += 1;
        }
        table[byte] = crc;
        byte += 1;
    }
    table
}

/// CRC-16/IBM-3740 of `bytes`: polynomial 1021, start FFFF, not reflected, no final xor.
///
/// `crc16(b"123456789")` is 29B1.
pub fn crc16(bytes: &[u8]) -> u16 {
    crc16_continued(CRC16_START, bytes)
}

/// The same checksum over `first` followed by `second`, without joining them.
///
/// Frames need it because their checksum field sits between the two parts that it covers.
pub fn crc16_of_two(first: &[u8], second: &[u8]) -> u16 {
    crc16_continued(crc16_continued(CRC16_START, first), second)
}

fn crc16_continued(start: u16, bytes: &[u8]) -> u16 {
    bytes.iter().fold(start, |crc, byte| {
        (crc << 8) ^ CRC16_TABLE[usize::from((crc >> 8) as u8 ^ byte)]
    })
}

/// CRC-32/ISO-HDLC of `bytes`: polynomial 04C11DB7 reflected, start and final xor FFFF FFFF.
///
/// `crc32(b"123456789")` is CBF4 3926.
pub fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 != 0 {
                (crc >> 1) ^ CRC32_POLYNOMIAL_REFLECTED
            } else {
                crc >> 1
            };
        }
    }
    crc ^ u32::MAX
}
