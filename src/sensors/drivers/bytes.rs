//! Reading bytes of other makers' sensors, and why some are refused.
//!
//! Every number is taken by way of an `Option`, so that a frame cut at any length ends in a refusal with a name and never
//! in a panic.

/// The rule a frame broke; such a frame is counted under this name and dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal(pub &'static str);

/// What is left of a frame, taken from the front, little end first.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bytes<'a>(pub(crate) &'a [u8]);

impl<'a> Bytes<'a> {
    pub(crate) fn take(&mut self, n: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(n)?;
        self.0 = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*taken)
    }

    pub(crate) fn u8(&mut self) -> Option<u8> {
        self.array::<1>().map(|[b]| b)
    }

    pub(crate) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }

    pub(crate) fn i16(&mut self) -> Option<i16> {
        self.array().map(i16::from_le_bytes)
    }

    pub(crate) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    pub(crate) fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    /// A number of the sensor; infinities and what is not a number are taken as they come and judged by the caller.
    pub(crate) fn f32(&mut self) -> Option<f32> {
        self.array().map(f32::from_le_bytes)
    }

    /// `N` of them.
    pub(crate) fn f32s<const N: usize>(&mut self) -> Option<[f32; N]> {
        let mut values = [0.0; N];
        for value in &mut values {
            *value = self.f32()?;
        }
        Some(values)
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_taken_little_end_first_and_nothing_is_taken_when_too_little_is_left() {
        let mut bytes = Bytes(&[1, 2, 3, 0, 0, 128, 63, 9]);
        assert_eq!(bytes.u16(), Some(0x0201));
        assert_eq!(bytes.u8(), Some(3));
        assert_eq!(bytes.u64(), None);
        assert_eq!(bytes.f32(), Some(f32::from_le_bytes([0, 0, 128, 63])));
        assert_eq!((bytes.u16(), bytes.len()), (None, 1));
    }
}
