//! Vectors and rotations that know their frame, so that mixing frames does not compile.
//!
//! All frames are right-handed. Body segments: x forward (toe, anterior), y to the runner's left (both feet alike), z up
//! along the segment. [`Level`] has z up against gravity and an arbitrary fixed horizontal x; [`Travel`] is `Level`
//! turned so that x points along one stride's direction of travel.
//!
//! A rotation is written `level_from_foot: Rotation<Level, Foot>` and takes a `Vec3<Foot>` to a `Vec3<Level>`; only
//! matching neighbours multiply.

use nalgebra::{UnitQuaternion, Vector3};
use std::marker::PhantomData;
use std::ops::{Add, Mul, Neg, Sub};

/// Marker of a coordinate frame.
pub trait Frame: Copy + std::fmt::Debug + 'static {
    /// Name used in messages.
    const NAME: &'static str;
}

macro_rules! frames {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $name;
        impl Frame for $name {
            const NAME: &'static str = stringify!($name);
        }
    )+};
}

frames! {
    /// As the sensor's case is marked; arbitrary mounting.
    Sensor,
    /// Segment frame of a foot.
    Foot,
    /// Segment frame of a shank (ankle to knee is +z).
    Shank,
    /// Segment frame of the pelvis at the sacrum (cranial is +z).
    Sacrum,
    /// Levelled earth frame: z up, heading arbitrary but fixed.
    Level,
    /// Levelled frame of one stride: x along its travel.
    Travel,
}

/// A vector with three components expressed in frame `F`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Vec3<F: Frame> {
    /// The components.
    pub v: Vector3<f64>,
    frame: PhantomData<F>,
}

impl<F: Frame> Vec3<F> {
    /// The vector with these components.
    #[must_use]
    pub fn new(x: f64, y: f64, z: f64) -> Self {
        Self::from_raw(Vector3::new(x, y, z))
    }

    /// A bare vector, claimed to be expressed in `F`: the one place where a frame is asserted rather than derived.
    #[must_use]
    pub fn from_raw(v: Vector3<f64>) -> Self {
        Self { v, frame: PhantomData }
    }

    /// The zero vector.
    #[must_use]
    pub fn zero() -> Self {
        Self::from_raw(Vector3::zeros())
    }

    /// Euclidean length.
    #[must_use]
    pub fn norm(&self) -> f64 {
        self.v.norm()
    }

    /// Whether all three components are finite.
    #[must_use]
    pub fn is_finite(&self) -> bool {
        self.v.iter().all(|c| c.is_finite())
    }
}

impl<F: Frame> Add for Vec3<F> {
    type Output = Self;
    fn add(self, rhs: Self) -> Self {
        Self::from_raw(self.v + rhs.v)
    }
}

impl<F: Frame> Sub for Vec3<F> {
    type Output = Self;
    fn sub(self, rhs: Self) -> Self {
        Self::from_raw(self.v - rhs.v)
    }
}

impl<F: Frame> Neg for Vec3<F> {
    type Output = Self;
    fn neg(self) -> Self {
        Self::from_raw(-self.v)
    }
}

impl<F: Frame> Mul<f64> for Vec3<F> {
    type Output = Self;
    fn mul(self, rhs: f64) -> Self {
        Self::from_raw(self.v * rhs)
    }
}

/// The rotation that takes vectors of frame `From` to frame `To`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rotation<To: Frame, From: Frame> {
    /// The unit quaternion.
    pub q: UnitQuaternion<f64>,
    frames: PhantomData<(To, From)>,
}

impl<To: Frame, From: Frame> Rotation<To, From> {
    /// A bare quaternion, claimed to take `From` to `To`.
    #[must_use]
    pub fn from_raw(q: UnitQuaternion<f64>) -> Self {
        Self { q, frames: PhantomData }
    }

    /// The rotation that changes nothing: the two frames coincide.
    #[must_use]
    pub fn identity() -> Self {
        Self::from_raw(UnitQuaternion::identity())
    }

    /// The rotation back.
    #[must_use]
    pub fn inverse(self) -> Rotation<From, To> {
        Rotation::from_raw(self.q.inverse())
    }
}

impl<To: Frame, From: Frame> Mul<Vec3<From>> for Rotation<To, From> {
    type Output = Vec3<To>;
    fn mul(self, rhs: Vec3<From>) -> Vec3<To> {
        Vec3::from_raw(self.q * rhs.v)
    }
}

impl<A: Frame, B: Frame, C: Frame> Mul<Rotation<B, C>> for Rotation<A, B> {
    type Output = Rotation<A, C>;
    fn mul(self, rhs: Rotation<B, C>) -> Rotation<A, C> {
        Rotation::from_raw(self.q * rhs.q)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn composing_rotations_equals_applying_them_in_turn() {
        let a: Rotation<Level, Foot> = Rotation::from_raw(UnitQuaternion::from_euler_angles(0.1, 0.2, 0.3));
        let b: Rotation<Foot, Sensor> = Rotation::from_raw(UnitQuaternion::from_euler_angles(-0.4, 0.5, 0.6));
        let v: Vec3<Sensor> = Vec3::new(1.0, 2.0, 3.0);
        assert!(((a * b) * v - a * (b * v)).norm() < 1e-12);
        assert!(((a.inverse() * (a * (b * v))) - b * v).norm() < 1e-12);
    }
}
