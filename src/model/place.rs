//! Where a sensor is worn, and which side of the body.

use serde::{Deserialize, Serialize};

/// Side of the body, the runner's own left and right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// The runner's left.
    Left,
    /// The runner's right.
    Right,
}

impl Side {
    /// +1 on the left, −1 on the right: the factor `s` of the sign table (docs/conventions.md).
    #[must_use]
    pub fn sign(self) -> f64 {
        match self {
            Self::Left => 1.0,
            Self::Right => -1.0,
        }
    }

    /// The other side.
    #[must_use]
    pub fn opposite(self) -> Self {
        match self {
            Self::Left => Self::Right,
            Self::Right => Self::Left,
        }
    }

    /// `left` or `right`, as written in files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::Right => "right",
        }
    }
}

/// Kind of body segment a sensor sits on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SegmentKind {
    /// On the shoe: instep or laces.
    Foot,
    /// On the shin, above the ankle.
    Shank,
    /// On the waistband over the sacrum.
    Sacrum,
}

/// The five places lope understands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Placement {
    /// Left shoe.
    LeftFoot,
    /// Right shoe.
    RightFoot,
    /// Left shin.
    LeftShank,
    /// Right shin.
    RightShank,
    /// Waistband over the sacrum.
    Sacrum,
}

impl Placement {
    /// All places, in the order used for indexing and display.
    pub const ALL: [Self; 5] = [
        Self::LeftFoot,
        Self::RightFoot,
        Self::LeftShank,
        Self::RightShank,
        Self::Sacrum,
    ];

    /// Position in [`Placement::ALL`].
    #[must_use]
    pub fn index(self) -> usize {
        self as usize
    }

    /// Side of the body; `None` for the sacrum.
    #[must_use]
    pub fn side(self) -> Option<Side> {
        match self {
            Self::LeftFoot | Self::LeftShank => Some(Side::Left),
            Self::RightFoot | Self::RightShank => Some(Side::Right),
            Self::Sacrum => None,
        }
    }

    /// The segment it sits on.
    #[must_use]
    pub fn segment(self) -> SegmentKind {
        match self {
            Self::LeftFoot | Self::RightFoot => SegmentKind::Foot,
            Self::LeftShank | Self::RightShank => SegmentKind::Shank,
            Self::Sacrum => SegmentKind::Sacrum,
        }
    }

    /// The foot of a side.
    #[must_use]
    pub fn foot(side: Side) -> Self {
        match side {
            Side::Left => Self::LeftFoot,
            Side::Right => Self::RightFoot,
        }
    }

    /// The shank of a side.
    #[must_use]
    pub fn shank(side: Side) -> Self {
        match side {
            Side::Left => Self::LeftShank,
            Side::Right => Self::RightShank,
        }
    }

    /// Name in files: `left_foot`, …, `sacrum`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::LeftFoot => "left_foot",
            Self::RightFoot => "right_foot",
            Self::LeftShank => "left_shank",
            Self::RightShank => "right_shank",
            Self::Sacrum => "sacrum",
        }
    }

    /// The place of that name; `None` for a word lope does not know.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|p| p.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_indices_round_trip() {
        for (i, p) in Placement::ALL.into_iter().enumerate() {
            assert_eq!(p.index(), i);
            assert_eq!(Placement::from_name(p.name()), Some(p));
        }
        assert_eq!(Placement::from_name("other"), None);
    }
}
