//! Measurement payloads of the Movella (Xsens) DOT, one layout a mode.
//!
//! Source: Movella DOT BLE Service Specification XD0506P revision C (July 2023). The notification is longer than the
//! fields: what stands behind them is padding and may hold old bytes. The user manual prints the status bits eight places
//! higher than this document; the document is followed, and statuses that only the manual could explain are counted.

use super::super::bytes::{Bytes, Refusal};

/// Which of the three payload characteristics a mode uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Length {
    /// 63 bytes.
    Long,
    /// 40 bytes.
    Medium,
    /// 20 bytes.
    Short,
}

/// Clipping and news of a sample, as the sensor judges it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status(pub u16);

impl Status {
    /// An acceleration axis clipped.
    #[must_use]
    pub const fn acc_clipped(self) -> bool {
        self.0 & 0b111 != 0
    }

    /// A rate axis clipped.
    #[must_use]
    pub const fn gyro_clipped(self) -> bool {
        self.0 & 0b111_000 != 0
    }

    /// A magnetometer axis clipped.
    #[must_use]
    pub const fn mag_clipped(self) -> bool {
        self.0 & 0b111_000_000 != 0
    }

    /// The magnetometer value is new.
    #[must_use]
    pub const fn mag_new(self) -> bool {
        self.0 & 0b10_0000_0000 != 0
    }

    /// Bits 10 to 15 are set: only the numbering of the user manual explains that.
    #[must_use]
    pub const fn other_numbering(self) -> bool {
        self.0 >> 10 != 0
    }
}

/// The fields of one sample; `None` where the mode has none.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Fields {
    /// Time, µs of the sensor's clock; wraps after 71.58 min.
    pub time_us: u32,
    /// Attitude, w x y z.
    pub quaternion: Option<[f32; 4]>,
    /// Euler angles, degrees.
    pub euler_deg: Option<[f32; 3]>,
    /// Change of attitude since the last sample, w x y z.
    pub delta_quaternion: Option<[f32; 4]>,
    /// Change of velocity since the last sample, m/s.
    pub delta_velocity: Option<[f32; 3]>,
    /// Acceleration without gravity, on the earth's axes, m/s².
    pub free_acc: Option<[f32; 3]>,
    /// Specific force, m/s².
    pub acc: Option<[f32; 3]>,
    /// Angular rate, °/s.
    pub gyro_dps: Option<[f32; 3]>,
    /// Magnetic field, in units of the field where it was calibrated.
    pub mag: Option<[f32; 3]>,
    /// What the sensor says of the sample.
    pub status: Option<Status>,
    /// How often acceleration clipped since the last sample.
    pub acc_clips: Option<u8>,
    /// How often angular rate clipped since the last sample.
    pub gyro_clips: Option<u8>,
}

#[derive(Clone, Copy)]
enum Field {
    Quaternion,
    Euler,
    DeltaQuaternion,
    DeltaVelocity,
    FreeAcc,
    Acc,
    Gyro,
    Mag,
    Status,
    Clips,
}

/// A mode whose layout is public.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mode(u8);

impl Mode {
    /// Acceleration and angular rate: the one for gait.
    pub const RATE_QUANTITIES: Self = Self(21);

    /// By its number.
    ///
    /// # Errors
    /// `private format`, `unknown mode`.
    pub fn from_number(number: u8) -> Result<Self, Refusal> {
        match number {
            2..=7 | 16 | 18..=24 | 26 => Ok(Self(number)),
            1 | 17 | 25 => Err(Refusal("private format")),
            _ => Err(Refusal("unknown mode")),
        }
    }

    /// Its number.
    #[must_use]
    pub const fn number(self) -> u8 {
        self.0
    }

    /// Where its payload comes.
    #[must_use]
    pub const fn length(self) -> Length {
        match self.0 {
            26 => Length::Long,
            4..=6 => Length::Short,
            _ => Length::Medium,
        }
    }

    const fn fields(self) -> &'static [Field] {
        use Field::{
            Acc, Clips, DeltaQuaternion, DeltaVelocity, Euler, FreeAcc, Gyro, Mag, Quaternion, Status as State,
        };
        match self.0 {
            2 => &[Quaternion, FreeAcc, State, Clips],
            3 => &[Quaternion, FreeAcc],
            4 => &[Euler],
            5 => &[Quaternion],
            6 => &[FreeAcc],
            7 => &[Euler, FreeAcc, State, Clips],
            16 => &[Euler, FreeAcc],
            18 => &[DeltaQuaternion, DeltaVelocity, Mag],
            19 => &[DeltaQuaternion, DeltaVelocity],
            20 => &[Acc, Gyro, Mag],
            22 => &[Euler, FreeAcc, Gyro],
            23 => &[Euler, FreeAcc, Mag],
            24 => &[Quaternion, Gyro],
            26 => &[Quaternion, Acc, Gyro],
            _ => &[Acc, Gyro],
        }
    }

    /// Decodes a payload of this mode; what stands behind the fields is not looked at.
    ///
    /// # Errors
    /// `short`, `not a number`.
    pub fn decode(self, bytes: &[u8]) -> Result<Fields, Refusal> {
        let mut b = Bytes(bytes);
        self.read(&mut b).ok_or(Refusal("short")).and_then(|f| {
            let threes = [f.euler_deg, f.delta_velocity, f.free_acc, f.acc, f.gyro_dps];
            let fours = [f.quaternion, f.delta_quaternion];
            let finite = threes.iter().flatten().flatten().all(|v| v.is_finite())
                && fours.iter().flatten().flatten().all(|v| v.is_finite());
            if finite { Ok(f) } else { Err(Refusal("not a number")) }
        })
    }

    fn read(self, b: &mut Bytes<'_>) -> Option<Fields> {
        let mut f = Fields {
            time_us: b.u32()?,
            ..Fields::default()
        };
        for field in self.fields() {
            match field {
                Field::Quaternion => f.quaternion = Some(b.f32s()?),
                Field::Euler => f.euler_deg = Some(b.f32s()?),
                Field::DeltaQuaternion => f.delta_quaternion = Some(b.f32s()?),
                Field::DeltaVelocity => f.delta_velocity = Some(b.f32s()?),
                Field::FreeAcc => f.free_acc = Some(b.f32s()?),
                Field::Acc => f.acc = Some(b.f32s()?),
                Field::Gyro => f.gyro_dps = Some(b.f32s()?),
                Field::Mag => {
                    let (x, y, z) = (b.i16()?, b.i16()?, b.i16()?);
                    f.mag = Some([x, y, z].map(|v| f32::from(v) / 4096.0));
                }
                Field::Status => f.status = Some(Status(b.u16()?)),
                Field::Clips => {
                    f.acc_clips = Some(b.u8()?);
                    f.gyro_clips = Some(b.u8()?);
                }
            }
        }
        Some(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Vec<Mode> {
        (0..=255).filter_map(|n| Mode::from_number(n).ok()).collect()
    }

    /// (mode, bytes of its fields) by the document's table.
    const TABLE: [(u8, usize); 16] = [
        (21, 28),
        (20, 34),
        (26, 44),
        (24, 32),
        (22, 40),
        (23, 34),
        (16, 28),
        (7, 32),
        (3, 32),
        (2, 36),
        (18, 38),
        (19, 32),
        (4, 16),
        (5, 20),
        (6, 16),
        (21, 28),
    ];

    #[test]
    fn every_mode_has_the_length_of_the_table_and_is_refused_when_cut() {
        for (number, length) in TABLE {
            let mode = Mode::from_number(number).expect("public");
            for n in 0..=length + 4 {
                let got = mode.decode(&vec![0; n]);
                assert_eq!(got.is_ok(), n >= length, "mode {number}, {n} bytes");
            }
        }
        assert_eq!(all().len(), 15);
    }

    #[test]
    fn a_payload_fits_its_characteristic() {
        for (number, length) in TABLE {
            let room = match Mode::from_number(number).expect("public").length() {
                Length::Long => 63,
                Length::Medium => 40,
                Length::Short => 20,
            };
            assert!(length <= room, "mode {number}");
        }
    }

    #[test]
    fn private_formats_are_refused_by_name() {
        for n in [1, 17, 25] {
            assert_eq!(Mode::from_number(n), Err(Refusal("private format")));
        }
        assert_eq!(Mode::from_number(0), Err(Refusal("unknown mode")));
    }

    #[test]
    fn padding_is_not_looked_at() {
        let mut bytes: Vec<u8> = 77_u32.to_le_bytes().to_vec();
        bytes.extend((1..=6).flat_map(|v| (v as f32).to_le_bytes()));
        let clean = Mode::RATE_QUANTITIES.decode(&bytes).expect("whole");
        bytes.extend([0xFF; 12]);
        assert_eq!(Mode::RATE_QUANTITIES.decode(&bytes), Ok(clean));
        assert_eq!(
            (clean.time_us, clean.acc, clean.gyro_dps),
            (77, Some([1.0, 2.0, 3.0]), Some([4.0, 5.0, 6.0]))
        );
        assert_eq!(Mode::RATE_QUANTITIES.decode(&[0xFF; 40]), Err(Refusal("not a number")));
    }

    #[test]
    fn status_bits_follow_the_document_and_the_manual_s_are_told_apart() {
        let mut bytes = vec![0; 28];
        bytes.extend([0b0001_0001, 0b10, 3, 4]);
        let f = Mode::from_number(7).expect("public").decode(&bytes).expect("whole");
        let s = f.status.expect("mode 7 has it");
        assert!(s.acc_clipped() && s.gyro_clipped() && !s.mag_clipped() && s.mag_new() && !s.other_numbering());
        assert_eq!((f.acc_clips, f.gyro_clips), (Some(3), Some(4)));
        assert!(Status(1 << 10).other_numbering());
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_return(bytes in proptest::collection::vec(0..=255_u8, 0..70)) {
            for mode in all() {
                let _ = mode.decode(&bytes);
            }
        }
    }
}
