//! The calibration a maker measured: one blob, read in pieces (SPEC.md section 7).
//!
//! The pod never applies it itself: raw counts can be calibrated anew when a better calibration comes, calibrated ones
//! cannot. Calibrated = matrix × (value − offset).

use crate::codec::{Reader, Writer};
use crate::{EncodeError, Refusal};

const ACC: u8 = 1;
const GYR: u8 = 2;
const TEMPERATURE: u8 = 3;
/// A matrix that differs more than this from the identity in any element is no calibration but a fault.
const MOST_FROM_IDENTITY: f32 = 0.2;
/// Bytes around a piece in its reply: head 3, total 2, offset 2, crc 4; and 3 of ATT.
const PIECE_OVERHEAD: u16 = 14;

/// Most bytes of the blob in one reply at an ATT MTU.
pub const fn calib_piece_room(att_mtu: u16) -> usize {
    att_mtu.saturating_sub(PIECE_OVERHEAD) as usize
}

/// A piece of the blob.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CalibPiece<'a> {
    /// Bytes of the whole blob.
    pub total: u16,
    /// Where the piece begins in it.
    pub offset: u16,
    /// Checksum of the whole blob.
    pub crc32: u32,
    /// The piece.
    pub bytes: &'a [u8],
}

impl<'a> CalibPiece<'a> {
    pub(crate) fn read(reader: &mut Reader<'a>) -> Result<Self, Refusal> {
        let (total, offset, crc32) = (reader.u16()?, reader.u16()?, reader.u32()?);
        let piece = CalibPiece {
            total,
            offset,
            crc32,
            bytes: reader.rest(),
        };
        piece.check()?;
        Ok(piece)
    }

    pub(crate) fn write(&self, writer: &mut Writer<'_>) -> Result<(), EncodeError> {
        self.check()?;
        writer
            .u16(self.total)?
            .u16(self.offset)?
            .u32(self.crc32)?
            .bytes(self.bytes)?;
        Ok(())
    }

    fn check(&self) -> Result<(), Refusal> {
        let end = usize::from(self.offset).saturating_add(self.bytes.len());
        if end > self.total.into() {
            Err(Refusal::Length {
                need: self.total.into(),
                got: end,
            })
        } else {
            Ok(())
        }
    }
}

/// Pieces put together in a caller's buffer.
#[derive(Debug)]
pub struct CalibAssembly<'b> {
    buffer: &'b mut [u8],
    /// Total and checksum that the first piece stated.
    stated: Option<(u16, u32)>,
    filled: usize,
}

/// What an assembled piece leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CalibProgress {
    /// Ask for the piece that begins here.
    Next {
        /// The offset.
        offset: u16,
    },
    /// The blob is complete and its checksum fits.
    Complete,
}

impl<'b> CalibAssembly<'b> {
    /// Nothing yet. The buffer bounds the blob: a longer one is refused.
    pub fn new(buffer: &'b mut [u8]) -> Self {
        CalibAssembly {
            buffer,
            stated: None,
            filled: 0,
        }
    }

    /// Takes the next piece, in order. A piece that belongs to another blob (`param`), brings nothing or does not fit
    /// (`length`), or completes a blob whose checksum is wrong (`crc`) is refused: begin anew.
    pub fn take(&mut self, piece: &CalibPiece<'_>) -> Result<CalibProgress, Refusal> {
        piece.check()?;
        let stated = *self.stated.get_or_insert((piece.total, piece.crc32));
        if stated != (piece.total, piece.crc32) || usize::from(piece.offset) != self.filled {
            return Err(Refusal::Param { field: "offset" });
        }
        let end = self.filled + piece.bytes.len();
        let room = self.buffer.len();
        let place = self.buffer.get_mut(self.filled..end).filter(|place| !place.is_empty());
        place
            .ok_or(Refusal::Length { need: end, got: room })?
            .copy_from_slice(piece.bytes);
        self.filled = end;
        if end < usize::from(piece.total) {
            // Below a total of two bytes.
            return Ok(CalibProgress::Next { offset: end as u16 });
        }
        let computed = crate::crc::crc32(self.blob());
        if computed != piece.crc32 {
            // Only 16 bits fit the refusal; they are for a person to read.
            return Err(Refusal::Crc {
                stated: piece.crc32 as u16,
                computed: computed as u16,
            });
        }
        Ok(CalibProgress::Complete)
    }

    /// What has been put together so far.
    pub fn blob(&self) -> &[u8] {
        &self.buffer[..self.filled]
    }
}

/// The calibration of one sensor of three axes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SensorCalibration {
    /// Subtracted first; m/s² or rad/s.
    pub offset: [f32; 3],
    /// Applied second, row by row.
    pub matrix: [[f32; 3]; 3],
}

impl SensorCalibration {
    /// Changes nothing.
    pub const IDENTITY: Self = SensorCalibration {
        offset: [0.0; 3],
        matrix: [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
    };

    /// The calibrated value of a reading in m/s² or rad/s.
    pub fn apply(&self, reading: [f64; 3]) -> [f64; 3] {
        let mut centred = reading;
        for (value, offset) in centred.iter_mut().zip(self.offset) {
            *value -= f64::from(offset);
        }
        self.matrix.map(|row| {
            row.iter()
                .zip(centred)
                .map(|(factor, value)| f64::from(*factor) * value)
                .sum()
        })
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        let mut axes = || -> Result<[f32; 3], Refusal> {
            Ok([
                f32::from_bits(reader.u32()?),
                f32::from_bits(reader.u32()?),
                f32::from_bits(reader.u32()?),
            ])
        };
        let calibration = SensorCalibration {
            offset: axes()?,
            matrix: [axes()?, axes()?, axes()?],
        };
        if calibration.is_plausible() {
            Ok(calibration)
        } else {
            Err(Refusal::Calibration)
        }
    }

    /// Finite, and a matrix near the identity. A NaN fails the comparison too.
    fn is_plausible(&self) -> bool {
        let near = |row: usize, column: usize| {
            let from_identity = self.matrix[row][column] - if row == column { 1.0 } else { 0.0 };
            (-MOST_FROM_IDENTITY..=MOST_FROM_IDENTITY).contains(&from_identity)
        };
        self.offset.iter().all(|value| value.is_finite()) && (0..9).all(|at| near(at / 3, at % 3))
    }
}

/// What the blob says. A sensor it does not mention was not calibrated.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Calibration {
    /// Of acceleration, m/s².
    pub acc: Option<SensorCalibration>,
    /// Of angular rate, rad/s.
    pub gyr: Option<SensorCalibration>,
    /// Temperature at which it was made, 1/100 °C.
    pub temperature_cdeg: Option<i16>,
}

impl Calibration {
    /// Reads a whole blob. Unknown TLVs are skipped, of a repeated one the first counts.
    pub fn decode(blob: &[u8]) -> Result<Self, Refusal> {
        let mut reader = Reader::new(blob);
        let mut all = Calibration::default();
        while !reader.rest().is_empty() {
            let type_number = reader.u8()?;
            let length = usize::from(reader.u8()?);
            let mut value = Reader::new(reader.take(length)?);
            match type_number {
                ACC if all.acc.is_none() => all.acc = Some(SensorCalibration::read(&mut value)?),
                GYR if all.gyr.is_none() => all.gyr = Some(SensorCalibration::read(&mut value)?),
                TEMPERATURE if all.temperature_cdeg.is_none() => all.temperature_cdeg = Some(value.i16()?),
                _ => {}
            }
        }
        Ok(all)
    }

    /// Writes the blob into `out` and gives back the written part.
    pub fn encode<'b>(&self, out: &'b mut [u8]) -> Result<&'b [u8], EncodeError> {
        let mut writer = Writer::new(out);
        for (type_number, sensor) in [(ACC, &self.acc), (GYR, &self.gyr)] {
            let Some(sensor) = sensor else { continue };
            if !sensor.is_plausible() {
                return Err(Refusal::Calibration.into());
            }
            writer.u8(type_number)?.u8(48)?;
            for value in sensor.offset.iter().chain(sensor.matrix.iter().flatten()) {
                writer.u32(value.to_bits())?;
            }
        }
        if let Some(cdeg) = self.temperature_cdeg {
            writer.u8(TEMPERATURE)?.u8(2)?.i16(cdeg)?;
        }
        Ok(writer.finish())
    }
}
