//! A history laid out by day, as the inputs look at it: runs in windows of days, one back score a day, one check-in a day.

use super::history::{CheckIn, History, Session, SessionKind};
use std::collections::BTreeMap;

/// A history by day.
#[derive(Clone, Debug)]
pub(super) struct Diary<'h> {
    /// All sessions in order of time.
    sessions: Vec<&'h Session>,
    /// The runs among them.
    runs: Vec<&'h Session>,
    checkins: BTreeMap<i32, &'h CheckIn>,
    /// Highest back score of each day that has one.
    scores: BTreeMap<i32, f64>,
}

fn of_days<'a, 'h>(pool: &'a [&'h Session], first: i32, last: i32) -> &'a [&'h Session] {
    let from = pool.partition_point(|s| s.day < first);
    let to = pool.partition_point(|s| s.day <= last);
    &pool[from..to.max(from)]
}

impl<'h> Diary<'h> {
    pub(super) fn new(history: &'h History) -> Self {
        let mut sessions: Vec<&Session> = history.sessions.iter().collect();
        // Stable: sessions of one day stay in their order.
        sessions.sort_by_key(|s| s.day);
        let runs: Vec<&Session> = sessions
            .iter()
            .copied()
            .filter(|s| s.kind == SessionKind::Run)
            .collect();
        let checkins: BTreeMap<i32, &CheckIn> = history.checkins.iter().map(|c| (c.day, c)).collect();
        let mut scores: BTreeMap<i32, f64> = BTreeMap::new();
        let of_runs = runs.iter().filter_map(|s| s.back_score().map(|x| (s.day, x)));
        let of_checkins = checkins
            .values()
            .flat_map(|c| [c.back_now, c.back_morning].into_iter().flatten().map(|x| (c.day, x)));
        for (day, score) in of_runs.chain(of_checkins) {
            let highest = scores.entry(day).or_insert(score);
            *highest = highest.max(score);
        }
        Self {
            sessions,
            runs,
            checkins,
            scores,
        }
    }

    /// Runs of the days `first` to `last`, both included.
    pub(super) fn runs(&self, first: i32, last: i32) -> &[&'h Session] {
        of_days(&self.runs, first, last)
    }

    /// Runs before this day.
    pub(super) fn runs_before(&self, day: i32) -> &[&'h Session] {
        of_days(&self.runs, i32::MIN, day - 1)
    }

    /// Sessions of every kind on the days `first` to `last`.
    pub(super) fn sessions(&self, first: i32, last: i32) -> &[&'h Session] {
        of_days(&self.sessions, first, last)
    }

    /// Distance run on the days `first` to `last`, km.
    pub(super) fn km(&self, first: i32, last: i32) -> f64 {
        sum(self.runs(first, last).iter().map(|s| s.km))
    }

    pub(super) fn checkin(&self, day: i32) -> Option<&'h CheckIn> {
        self.checkins.get(&day).copied()
    }

    /// Whether the safety row was answered.
    pub(super) fn answered(&self, day: i32) -> bool {
        self.checkin(day).is_some_and(CheckIn::answered)
    }

    /// Days on which it was answered, of `first` to `last`.
    pub(super) fn answers(&self, first: i32, last: i32) -> usize {
        self.checkins
            .range(first..last + 1)
            .filter(|(_, c)| c.answered())
            .count()
    }

    /// Highest back score of the day.
    pub(super) fn score(&self, day: i32) -> Option<f64> {
        self.scores.get(&day).copied()
    }

    /// Highest back scores of the scored days `first` to `last`, in order.
    pub(super) fn scores(&self, first: i32, last: i32) -> Vec<f64> {
        self.scores.range(first..last + 1).map(|(_, x)| *x).collect()
    }

    /// The last scored day up to `day`.
    pub(super) fn last_scored(&self, day: i32) -> Option<i32> {
        self.scores.range(..=day).next_back().map(|(d, _)| *d)
    }

    /// What was entered in the check-ins of the days `first` to `last`.
    pub(super) fn entries(&self, first: i32, last: i32, what: impl Fn(&CheckIn) -> Option<f64>) -> Vec<f64> {
        self.checkins
            .range(first..last + 1)
            .filter_map(|(_, c)| what(c))
            .collect()
    }

    /// Whether it is no rest day: a run, or another session over 20 min whose effort is 4 or more or unknown.
    pub(super) fn trained(&self, day: i32) -> bool {
        let trains = |s: &Session| {
            s.kind == SessionKind::Run || (s.minutes.unwrap_or(0.0) > 20.0 && s.effort.is_none_or(|e| e >= 4.0))
        };
        self.sessions(day, day).iter().any(|s| trains(s))
    }
}

/// Sum from the first to the last, as written: another order may round to another side of a limit.
pub(super) fn sum(values: impl IntoIterator<Item = f64>) -> f64 {
    values.into_iter().fold(0.0, |total, x| total + x)
}

/// Mean; the caller has at least one value.
pub(super) fn mean(values: &[f64]) -> f64 {
    sum(values.iter().copied()) / values.len() as f64
}

/// Median of at least one value; of an even number the mean of the middle two.
pub(super) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let n = sorted.len();
    if n % 2 == 1 {
        sorted[n / 2]
    } else {
        (sorted[n / 2 - 1] + sorted[n / 2]) / 2.0
    }
}
