//! What one entry of a data frame is, for each kind of frame.
//!
//! Values are raw counts in the case frame (right-handed, x along the arrow, z out of the lid). A host multiplies them by
//! the scales of the configuration that the frame names; nothing here knows a unit.

use crate::PodTime;

/// The kind of a frame, and so of a stream. The number is what goes on the air.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Acceleration and angular rate: [`ImuEntry`].
    Imu6,
    /// Acceleration, angular rate and magnetic field: [`Imu9Entry`].
    Imu9,
    /// Acceleration of a high-range sensor: [`HighGEntry`].
    HighG,
    /// Moments worth remembering: [`Mark`].
    Marks,
}

impl Kind {
    /// All kinds of data there are, in the order of their numbers.
    pub const ALL: [Kind; 4] = [Kind::Imu6, Kind::Imu9, Kind::HighG, Kind::Marks];

    /// The kind of this number; `None` for gap, reserved and maker's kinds.
    pub const fn new(number: u8) -> Option<Self> {
        match number {
            0 => Some(Kind::Imu6),
            1 => Some(Kind::Imu9),
            2 => Some(Kind::HighG),
            3 => Some(Kind::Marks),
            _ => None,
        }
    }

    /// Its number on the air.
    pub const fn get(self) -> u8 {
        match self {
            Kind::Imu6 => 0,
            Kind::Imu9 => 1,
            Kind::HighG => 2,
            Kind::Marks => 3,
        }
    }

    /// Its name in SPEC.md.
    pub const fn name(self) -> &'static str {
        match self {
            Kind::Imu6 => "imu6",
            Kind::Imu9 => "imu9",
            Kind::HighG => "high_g",
            Kind::Marks => "marks",
        }
    }

    /// Bytes of one entry.
    pub const fn entry_bytes(self) -> usize {
        match self {
            Kind::Imu6 => 12,
            Kind::Imu9 => 18,
            Kind::HighG => 6,
            Kind::Marks => 8,
        }
    }

    /// Most entries in one frame, so that no frame is longer than [`LONGEST_FRAME`](crate::LONGEST_FRAME).
    pub const fn most_entries(self) -> usize {
        match self {
            Kind::Imu6 => 19,
            Kind::Imu9 => 12,
            Kind::HighG => 38,
            Kind::Marks => 28,
        }
    }
}

/// Which sensors of an entry stand at or beyond the count at which the configuration calls them clipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Clipping {
    /// An axis of acceleration is clipped.
    pub acc: bool,
    /// An axis of angular rate is clipped.
    pub gyr: bool,
}

impl Clipping {
    /// Clipped here or there.
    pub const fn or(self, other: Clipping) -> Clipping {
        Clipping {
            acc: self.acc | other.acc,
            gyr: self.gyr | other.gyr,
        }
    }
}

/// The counts at and above which an axis is clipped; `None` for a sensor the stream does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct ClipLimits {
    /// `acc_clip` of the configuration.
    pub acc: Option<u16>,
    /// `gyr_clip` of the configuration.
    pub gyr: Option<u16>,
}

fn reaches(axes: [i16; 3], limit: Option<u16>) -> bool {
    limit.is_some_and(|limit| axes.iter().any(|axis| axis.unsigned_abs() >= limit))
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::ImuEntry {}
    impl Sealed for super::Imu9Entry {}
    impl Sealed for super::HighGEntry {}
    impl Sealed for super::Mark {}
}

/// One entry of a data frame: a fixed number of bytes that mean the same whatever stands around them.
///
/// The four implementors are the kinds of SPEC.md, section 4.2. Law: `read(&write(e)) == e`, and `write` fills
/// `KIND.entry_bytes()` bytes exactly.
pub trait Entry: Copy + sealed::Sealed {
    /// The kind of frame that carries these.
    const KIND: Kind;

    /// Reads an entry from its bytes; bytes that are missing read as 0, bytes beyond are not looked at.
    fn read(bytes: &[u8]) -> Self;

    /// Writes the entry into a place of `KIND.entry_bytes()` bytes; a shorter place is filled as far as it goes.
    fn write(self, place: &mut [u8]);

    /// Which sensors reach the limits of their configuration.
    fn clipping(&self, limits: ClipLimits) -> Clipping;
}

/// N axes of i16 at the front of `bytes`, without a branch in the common case that all bytes are there.
#[inline]
fn axes<const N: usize>(bytes: &[u8]) -> [i16; N] {
    let mut axes = [0; N];
    for (axis, pair) in axes.iter_mut().zip(bytes.chunks_exact(2)) {
        *axis = i16::from_le_bytes([pair[0], pair[1]]);
    }
    axes
}

#[inline]
fn put_axes(axes: &[i16], place: &mut [u8]) {
    for (axis, pair) in axes.iter().zip(place.chunks_exact_mut(2)) {
        pair.copy_from_slice(&axis.to_le_bytes());
    }
}

/// One simultaneous reading of accelerometer and gyroscope, in counts: 12 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct ImuEntry {
    /// Specific force along x, y, z.
    pub acc: [i16; 3],
    /// Angular rate about x, y, z, right-hand rule.
    pub gyr: [i16; 3],
}

impl Entry for ImuEntry {
    const KIND: Kind = Kind::Imu6;

    #[inline]
    fn read(bytes: &[u8]) -> Self {
        let [ax, ay, az, gx, gy, gz] = axes(bytes);
        ImuEntry {
            acc: [ax, ay, az],
            gyr: [gx, gy, gz],
        }
    }

    #[inline]
    fn write(self, place: &mut [u8]) {
        let ([ax, ay, az], [gx, gy, gz]) = (self.acc, self.gyr);
        put_axes(&[ax, ay, az, gx, gy, gz], place);
    }

    fn clipping(&self, limits: ClipLimits) -> Clipping {
        Clipping {
            acc: reaches(self.acc, limits.acc),
            gyr: reaches(self.gyr, limits.gyr),
        }
    }
}

/// One simultaneous reading of accelerometer, gyroscope and magnetometer, in counts: 18 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Imu9Entry {
    /// Specific force along x, y, z.
    pub acc: [i16; 3],
    /// Angular rate about x, y, z, right-hand rule.
    pub gyr: [i16; 3],
    /// Magnetic flux density along x, y, z.
    pub mag: [i16; 3],
}

impl Entry for Imu9Entry {
    const KIND: Kind = Kind::Imu9;

    #[inline]
    fn read(bytes: &[u8]) -> Self {
        let [ax, ay, az, gx, gy, gz, mx, my, mz] = axes(bytes);
        Imu9Entry {
            acc: [ax, ay, az],
            gyr: [gx, gy, gz],
            mag: [mx, my, mz],
        }
    }

    #[inline]
    fn write(self, place: &mut [u8]) {
        let ([ax, ay, az], [gx, gy, gz], [mx, my, mz]) = (self.acc, self.gyr, self.mag);
        put_axes(&[ax, ay, az, gx, gy, gz, mx, my, mz], place);
    }

    fn clipping(&self, limits: ClipLimits) -> Clipping {
        Clipping {
            acc: reaches(self.acc, limits.acc),
            gyr: reaches(self.gyr, limits.gyr),
        }
    }
}

/// One reading of a high-range accelerometer, in counts: 6 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct HighGEntry {
    /// Specific force along x, y, z.
    pub acc: [i16; 3],
}

impl Entry for HighGEntry {
    const KIND: Kind = Kind::HighG;

    #[inline]
    fn read(bytes: &[u8]) -> Self {
        HighGEntry { acc: axes(bytes) }
    }

    #[inline]
    fn write(self, place: &mut [u8]) {
        put_axes(&self.acc, place);
    }

    fn clipping(&self, limits: ClipLimits) -> Clipping {
        Clipping {
            acc: reaches(self.acc, limits.acc),
            gyr: false,
        }
    }
}

/// What happened at a [`Mark`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MarkCode {
    /// The button was pressed.
    Button,
    /// The sync input rose; the argument is the pin.
    SyncRising,
    /// The sync input fell; the argument is the pin.
    SyncFalling,
    /// The case was tapped.
    Tap,
    /// A reserved code (0, 5 to 127) or a maker's own (128 to 255).
    Other(u8),
}

impl MarkCode {
    /// The code of this number.
    pub const fn new(number: u8) -> Self {
        match number {
            1 => MarkCode::Button,
            2 => MarkCode::SyncRising,
            3 => MarkCode::SyncFalling,
            4 => MarkCode::Tap,
            other => MarkCode::Other(other),
        }
    }

    /// Its number on the air.
    pub const fn get(self) -> u8 {
        match self {
            MarkCode::Button => 1,
            MarkCode::SyncRising => 2,
            MarkCode::SyncFalling => 3,
            MarkCode::Tap => 4,
            MarkCode::Other(number) => number,
        }
    }
}

/// A moment worth remembering: 8 bytes. Marks are counted by their own index and have no rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Mark {
    /// What happened.
    pub code: MarkCode,
    /// More about it: the pin of a sync input.
    pub arg: u8,
    /// When it happened; `None` if the pod does not know.
    pub at: Option<PodTime>,
}

impl Entry for Mark {
    const KIND: Kind = Kind::Marks;

    fn read(bytes: &[u8]) -> Self {
        let mut all = [0; 8];
        for (to, from) in all.iter_mut().zip(bytes) {
            *to = *from;
        }
        let [code, arg, a, b, c, d, e, f] = all;
        let at = PodTime::from_us(u64::from_le_bytes([a, b, c, d, e, f, 0, 0]));
        Mark {
            code: MarkCode::new(code),
            arg,
            at,
        }
    }

    fn write(self, place: &mut [u8]) {
        let [a, b, c, d, e, f, _, _] = crate::id::time_on_air(self.at).to_le_bytes();
        for (to, from) in place.iter_mut().zip([self.code.get(), self.arg, a, b, c, d, e, f]) {
            *to = from;
        }
    }

    fn clipping(&self, _: ClipLimits) -> Clipping {
        Clipping::default()
    }
}
