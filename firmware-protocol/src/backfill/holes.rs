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

/// What came of asking for a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AskOutcome {
    /// At least one sample or gap was new.
    SomethingCame,
    /// Nothing was.
    InVain,
    /// The pod had no time: nothing can be said.
    NotAnswered,
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
            // Something arrived in it, so it has all its tries again.
            let rest = Hole {
                quiet_since_ns: now_ns,
                tries: 0,
                ..hole
            };
            let below = Hole {
                end: first.max(hole.first),
                ..rest
            };
            let above = Hole {
                first: end.min(hole.end),
                ..rest
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

    /// Asking for `first .. end` is over: its holes are left in peace for a while, and if nothing came they count it.
    pub(super) fn note_asked(&mut self, first: u32, end: u32, outcome: AskOutcome, now_ns: i64) {
        for hole in &mut self.holes[..self.len] {
            if hole.first < end && hole.end > first {
                hole.quiet_since_ns = now_ns;
                hole.tries = match outcome {
                    AskOutcome::SomethingCame => 0,
                    AskOutcome::InVain => hole.tries.saturating_add(1),
                    AskOutcome::NotAnswered => hole.tries,
                };
            }
        }
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
