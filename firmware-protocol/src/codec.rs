//! Fields off the front of received bytes, fields onto the end of a caller's buffer.
//!
//! Everything on the air is little-endian and has a fixed place. A [`Reader`] gives the next field or says `length`; no
//! number it reads is ever used as a size before it was compared with the bytes that are there. A [`Writer`] gives the
//! written part or says how large the buffer should have been. Neither allocates.

use crate::{EncodeError, Refusal};

/// Takes fields off the front of a message.
#[derive(Clone, Debug)]
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Reader { bytes, at: 0 }
    }

    /// What has not been read.
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// At least `count` bytes are left: `length` comes before what any field says.
    pub(crate) fn require(&self, count: usize) -> Result<(), Refusal> {
        self.clone().take(count).map(|_| ())
    }

    pub(crate) fn take(&mut self, count: usize) -> Result<&'a [u8], Refusal> {
        let end = self.at.saturating_add(count);
        let refusal = Refusal::Length {
            need: end,
            got: self.bytes.len(),
        };
        let taken = self.bytes.get(self.at..end).ok_or(refusal)?;
        self.at = end;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Refusal> {
        let mut field = [0; N];
        field.copy_from_slice(self.take(N)?);
        Ok(field)
    }

    pub(crate) fn u8(&mut self) -> Result<u8, Refusal> {
        self.array::<1>().map(|[byte]| byte)
    }

    pub(crate) fn u16(&mut self) -> Result<u16, Refusal> {
        self.array().map(u16::from_le_bytes)
    }

    pub(crate) fn i16(&mut self) -> Result<i16, Refusal> {
        self.array().map(i16::from_le_bytes)
    }

    pub(crate) fn u32(&mut self) -> Result<u32, Refusal> {
        self.array().map(u32::from_le_bytes)
    }

    pub(crate) fn u48(&mut self) -> Result<u64, Refusal> {
        self.array::<6>()
            .map(|[a, b, c, d, e, f]| u64::from_le_bytes([a, b, c, d, e, f, 0, 0]))
    }

    pub(crate) fn u64(&mut self) -> Result<u64, Refusal> {
        self.array().map(u64::from_le_bytes)
    }
}

/// Puts fields onto the end of a message in a caller's buffer.
#[derive(Debug)]
pub(crate) struct Writer<'b> {
    buffer: &'b mut [u8],
    at: usize,
}

impl<'b> Writer<'b> {
    pub(crate) fn new(buffer: &'b mut [u8]) -> Self {
        Writer { buffer, at: 0 }
    }

    /// Bytes written so far.
    pub(crate) fn written(&self) -> usize {
        self.at
    }

    pub(crate) fn so_far(&self) -> &[u8] {
        self.buffer.get(..self.at).unwrap_or_default()
    }

    /// The message, once all fields are there.
    pub(crate) fn finish(self) -> &'b [u8] {
        let Writer { buffer, at } = self;
        buffer.get(..at).unwrap_or_default()
    }

    pub(crate) fn bytes(&mut self, field: &[u8]) -> Result<&mut Self, EncodeError> {
        let end = self.at.saturating_add(field.len());
        let got = self.buffer.len();
        let place = self
            .buffer
            .get_mut(self.at..end)
            .ok_or(EncodeError::Buffer { need: end, got })?;
        place.copy_from_slice(field);
        self.at = end;
        Ok(self)
    }

    pub(crate) fn u8(&mut self, value: u8) -> Result<&mut Self, EncodeError> {
        self.bytes(&[value])
    }

    pub(crate) fn u16(&mut self, value: u16) -> Result<&mut Self, EncodeError> {
        self.bytes(&value.to_le_bytes())
    }

    pub(crate) fn i16(&mut self, value: i16) -> Result<&mut Self, EncodeError> {
        self.bytes(&value.to_le_bytes())
    }

    pub(crate) fn u32(&mut self, value: u32) -> Result<&mut Self, EncodeError> {
        self.bytes(&value.to_le_bytes())
    }

    /// The low six bytes of `value`; the callers' types keep the rest 0.
    pub(crate) fn u48(&mut self, value: u64) -> Result<&mut Self, EncodeError> {
        let [a, b, c, d, e, f, _, _] = value.to_le_bytes();
        self.bytes(&[a, b, c, d, e, f])
    }

    pub(crate) fn u64(&mut self, value: u64) -> Result<&mut Self, EncodeError> {
        self.bytes(&value.to_le_bytes())
    }
}
