//! Messages as bytes: definitions written where they are needed, values that are absent as the protocol's invalid ones.
//!
//! A message is given as a list of fields with values. Whenever its layout differs from the last one of its number, a
//! definition goes before it, so that no caller can write data that its definition does not fit.

use super::crc;
use std::num::NonZeroU32;

/// Longest text or array, bytes.
const LONGEST: usize = 255;

/// A value with its base type; `None` becomes the type's invalid value and is never zero.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Value<'a> {
    /// One of a numbered list.
    Enum(Option<u8>),
    /// 8 bits.
    U8(Option<u8>),
    /// 16 bits.
    U16(Option<u16>),
    /// 32 bits.
    U32(Option<u32>),
    /// 32 bits of which 0 is the invalid value.
    U32z(Option<NonZeroU32>),
    /// 32 bits, floating point; NaN is the invalid value.
    F32(Option<f32>),
    /// Text, cut at a letter where it is too long.
    Text(&'a str),
    /// Bytes.
    Bytes(&'a [u8]),
}

impl Value<'_> {
    /// Number of the base type.
    pub(super) fn base(self) -> u8 {
        match self {
            Self::Enum(_) => 0x00,
            Self::U8(_) => 0x02,
            Self::U16(_) => 0x84,
            Self::U32(_) => 0x86,
            Self::U32z(_) => 0x8c,
            Self::F32(_) => 0x88,
            Self::Text(_) => 0x07,
            Self::Bytes(_) => 0x0d,
        }
    }

    fn size(self) -> u8 {
        match self {
            Self::Enum(_) | Self::U8(_) => 1,
            Self::U16(_) => 2,
            Self::U32(_) | Self::U32z(_) | Self::F32(_) => 4,
            Self::Text(text) => cut(text).len() as u8 + 1,
            Self::Bytes(bytes) => bytes.len().min(LONGEST) as u8,
        }
    }

    fn put(self, out: &mut Vec<u8>) {
        match self {
            Self::Enum(v) | Self::U8(v) => out.push(v.unwrap_or(u8::MAX)),
            Self::U16(v) => out.extend(v.unwrap_or(u16::MAX).to_le_bytes()),
            Self::U32(v) => out.extend(v.unwrap_or(u32::MAX).to_le_bytes()),
            Self::U32z(v) => out.extend(v.map_or(0, NonZeroU32::get).to_le_bytes()),
            Self::F32(v) => out.extend(v.map_or(u32::MAX, f32::to_bits).to_le_bytes()),
            Self::Text(text) => {
                out.extend(cut(text).as_bytes());
                out.push(0);
            }
            Self::Bytes(bytes) => out.extend(&bytes[..bytes.len().min(LONGEST)]),
        }
    }
}

/// A text with room for the zero behind it. A zero inside would end it early.
fn cut(text: &str) -> &str {
    let text = text.split('\0').next().unwrap_or_default();
    let end = (0..=text.len().min(LONGEST - 1))
        .rev()
        .find(|i| text.is_char_boundary(*i));
    &text[..end.unwrap_or(0)]
}

/// A value at the scale of its field, as 16 bits; `None` where the field cannot hold it.
pub(super) fn scaled_u16(value: Option<f64>, scale: f64) -> Value<'static> {
    let fits = value
        .map(|v| (v * scale).round())
        .filter(|v| (0.0..f64::from(u16::MAX)).contains(v));
    Value::U16(fits.map(|v| v as u16))
}

/// As [`scaled_u16`], 32 bits.
pub(super) fn scaled_u32(value: Option<f64>, scale: f64) -> Value<'static> {
    let fits = value
        .map(|v| (v * scale).round())
        .filter(|v| (0.0..f64::from(u32::MAX)).contains(v));
    Value::U32(fits.map(|v| v as u32))
}

/// A field of the profile, or of the developer, with its value.
pub(super) type Field<'a> = (u8, Value<'a>);

/// Number, size and base type of each field, and where those of the developer begin.
#[derive(Clone, Debug, PartialEq)]
struct Layout {
    global: u16,
    fields: Vec<[u8; 3]>,
    developer: Vec<[u8; 3]>,
}

/// A file in the making.
#[derive(Debug)]
pub(super) struct Messages {
    bytes: Vec<u8>,
    /// The layout last defined for each local number.
    layouts: [Option<Layout>; 16],
}

impl Messages {
    pub(super) fn new() -> Self {
        Self {
            bytes: Vec::new(),
            layouts: Default::default(),
        }
    }

    /// Writes a message under a local number (0 to 15).
    pub(super) fn push(&mut self, local: u8, global: u16, fields: &[Field]) {
        self.push_with(local, global, fields, &[]);
    }

    /// The same with fields of the developer; their data stand under index 0.
    pub(super) fn push_with(&mut self, local: u8, global: u16, fields: &[Field], developer: &[Field]) {
        let local = local & 0x0f;
        let layout = Layout {
            global,
            fields: fields.iter().map(|(n, v)| [*n, v.size(), v.base()]).collect(),
            developer: developer.iter().map(|(n, v)| [*n, v.size(), 0]).collect(),
        };
        if self.layouts[usize::from(local)].as_ref() != Some(&layout) {
            self.define(local, &layout);
            self.layouts[usize::from(local)] = Some(layout);
        }
        self.bytes.push(local);
        for (_, value) in fields.iter().chain(developer) {
            value.put(&mut self.bytes);
        }
    }

    fn define(&mut self, local: u8, layout: &Layout) {
        let with_developer = if layout.developer.is_empty() { 0 } else { 0x20 };
        // Reserved, then little-endian.
        self.bytes.extend([0x40 | with_developer | local, 0, 0]);
        self.bytes.extend(layout.global.to_le_bytes());
        for list in [&layout.fields, &layout.developer] {
            if with_developer == 0 && list.is_empty() {
                continue;
            }
            self.bytes.push(list.len() as u8);
            list.iter().for_each(|field| self.bytes.extend(field));
        }
    }

    /// Header, messages and checksum.
    pub(super) fn finish(self) -> Vec<u8> {
        /// Protocol 2.0: the first with fields of developers.
        const PROTOCOL: u8 = 0x20;
        /// Profile 21.218: major number times 1000 and minor number.
        const PROFILE: u16 = 21_218;
        let mut file = vec![14, PROTOCOL];
        file.extend(PROFILE.to_le_bytes());
        file.extend((self.bytes.len() as u32).to_le_bytes());
        file.extend(b".FIT");
        let of_header = crc(0, &file);
        file.extend(of_header.to_le_bytes());
        file.extend(self.bytes);
        let of_file = crc(0, &file);
        file.extend(of_file.to_le_bytes());
        file
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_absent_is_the_invalid_value_of_its_type() {
        let bytes = |v: Value| {
            let mut out = Vec::new();
            v.put(&mut out);
            assert_eq!(out.len(), usize::from(v.size()));
            out
        };
        assert_eq!(bytes(Value::Enum(None)), [0xff]);
        assert_eq!(bytes(Value::U16(None)), [0xff, 0xff]);
        assert_eq!(bytes(Value::U32(None)), [0xff; 4]);
        assert_eq!(bytes(Value::U32z(None)), [0; 4]);
        assert_eq!(bytes(Value::F32(None)), [0xff; 4]);
        assert_eq!(bytes(Value::F32(Some(0.0))), [0; 4]);
        assert_eq!(bytes(Value::Text("ab\0c")), *b"ab\0");
        assert_eq!(bytes(Value::Text(&"ä".repeat(200))).len(), 255);
    }

    #[test]
    fn what_a_field_cannot_hold_is_absent() {
        assert_eq!(scaled_u16(Some(0.0), 10.0), Value::U16(Some(0)));
        assert_eq!(scaled_u16(Some(243.26), 10.0), Value::U16(Some(2433)));
        for wrong in [-0.2, 6553.5, f64::NAN, f64::INFINITY] {
            assert_eq!(scaled_u16(Some(wrong), 10.0), Value::U16(None), "{wrong}");
        }
        assert_eq!(scaled_u32(None, 100.0), Value::U32(None));
    }

    #[test]
    fn a_layout_is_defined_once_and_again_when_it_changes() {
        let mut m = Messages::new();
        m.push(0, 20, &[(253, Value::U32(Some(1)))]);
        m.push(0, 20, &[(253, Value::U32(Some(2)))]);
        let twice = m.bytes.len();
        assert_eq!(twice, 6 + 3 + 5 + 5);
        m.push_with(0, 20, &[(253, Value::U32(Some(3)))], &[(0, Value::F32(None))]);
        assert_eq!(m.bytes[twice], 0x60);
        assert_eq!(m.bytes.len(), twice + 6 + 3 + 1 + 3 + 9);
    }
}
