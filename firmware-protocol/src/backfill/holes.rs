//! A bounded, sorted set of missing index ranges.
//!
//! An array kept in order: a host has few holes at a time, they are looked at from the oldest, and a fixed size means that
//! no pod can make it grow. When there is no room, the oldest hole is given up.

/// A run of missing indices `first .. end`, never empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hole {
    /// First missing index.
    pub first: u32,
    /// First index after it that is not missing.
    pub end: u32,
    /// When something last arrived in it, or when it opened, ns.
    pub quiet_since_ns: i64,
    /// How often it was asked for in vain.
    pub tries: u8,
}

impl Hole {
    const NOWHERE: Hole = Hole {
        first: 0,
        end: 0,
        quiet_since_ns: 0,
        tries: 0,
    };

    /// How many indices are missing.
    pub const fn len(&self) -> u32 {
        self.end - self.first
    }

    /// Never true of a hole in a set.
    pub const fn is_empty(&self) -> bool {
        self.end <= self.first
    }
}

/// At most N holes, ascending and disjoint.
#[derive(Clone, Debug)]
pub struct HoleSet<const N: usize> {
    holes: [Hole; N],
    len: usize,
}

impl<const N: usize> HoleSet<N> {
    /// Nothing is missing.
    pub const EMPTY: Self = HoleSet {
        holes: [Hole::NOWHERE; N],
        len: 0,
    };

    /// The holes, ascending.
    pub fn iter(&self) -> impl Iterator<Item = Hole> + '_ {
        self.holes[..self.len].iter().copied()
    }

    /// Adds a hole above all others. Returns how many indices were given up to make room.
    pub(super) fn push(&mut self, hole: Hole) -> u32 {
        debug_assert!(
            self.iter().all(|other| other.end <= hole.first),
            "holes open at the end"
        );
        if hole.is_empty() {
            return 0;
        }
        self.insert(self.len, hole)
    }

    /// Calls `found` with each part of `first .. end` that is missing.
    pub(super) fn overlaps(&self, first: u32, end: u32, mut found: impl FnMut(u32, u32)) {
        for hole in self.iter() {
            let (from, to) = (hole.first.max(first), hole.end.min(end));
            if from < to {
                found(from, to);
            }
        }
    }

    /// `first .. end` is not missing any more. Returns how many *other* indices were given up to make room for a hole
    /// that fell in two.
    pub(super) fn remove(&mut self, first: u32, end: u32, now_ns: i64) -> u32 {
        let (mut at, mut given_up) = (0, 0);
        while at < self.len {
            let hole = self.holes[at];
            if hole.end <= first || hole.first >= end {
                at += 1;
                continue;
            }
            let below = Hole {
                end: first.max(hole.first),
                quiet_since_ns: now_ns,
                ..hole
            };
            let above = Hole {
                first: end.min(hole.end),
                quiet_since_ns: now_ns,
                ..hole
            };
            match (below.is_empty(), above.is_empty()) {
                (true, true) => self.take_out(at),
                (false, true) => self.holes[at] = below,
                (true, false) => self.holes[at] = above,
                (false, false) => {
                    self.holes[at] = below;
                    given_up += self.insert(at + 1, above);
                    // Nothing above can overlap: the removed range ended inside this hole.
                    return given_up;
                }
            }
            if !(below.is_empty() && above.is_empty()) {
                at += 1;
            }
        }
        given_up
    }

    /// Gives up all from `first` on. Returns how many indices that were.
    pub(super) fn remove_from(&mut self, first: u32) -> u32 {
        let mut given_up = 0;
        self.overlaps(first, u32::MAX, |from, to| given_up += to - from);
        self.remove(first, u32::MAX, 0);
        given_up
    }

    /// Asking for `first .. end` is over. With `tries` = 0 something came, and all begins anew; otherwise the holes count
    /// it, and those with `most` tries are given up. Returns how many indices were given up.
    pub(super) fn note_try(&mut self, first: u32, end: u32, tries: u8, most: u8, now_ns: i64) -> u32 {
        let (mut at, mut given_up) = (0, 0);
        while at < self.len {
            let hole = &mut self.holes[at];
            if hole.first < end && hole.end > first {
                hole.tries = if tries == 0 {
                    0
                } else {
                    hole.tries.saturating_add(tries)
                };
                hole.quiet_since_ns = now_ns;
                if hole.tries >= most {
                    // Only what was asked for is given up; the rest of a long hole gets its own chances.
                    let (from, to) = (hole.first.max(first), hole.end.min(end));
                    hole.tries = 0;
                    given_up += to - from;
                    given_up += self.remove(from, to, now_ns);
                    continue;
                }
            }
            at += 1;
        }
        given_up
    }

    fn insert(&mut self, at: usize, hole: Hole) -> u32 {
        if N == 0 {
            return hole.len();
        }
        if self.len < N {
            self.holes.copy_within(at..self.len, at + 1);
            self.holes[at] = hole;
            self.len += 1;
            return 0;
        }
        if at == 0 {
            return hole.len();
        }
        // The oldest goes, the others up to the new one move down by one.
        let oldest = self.holes[0].len();
        self.holes.copy_within(1..at, 0);
        self.holes[at - 1] = hole;
        oldest
    }

    fn take_out(&mut self, at: usize) {
        self.holes.copy_within(at + 1..self.len, at);
        self.len -= 1;
    }
}
