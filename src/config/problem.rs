//! What is wrong with a setting, said so that it can be mended without looking anything up.

use super::Origin;
use std::fmt;

/// One thing that is wrong: where, what stands there, what could stand there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where it stands.
    pub origin: Origin,
    /// Which setting, with dots: `kit.thursday.left_foot.battery`. Empty when the whole file cannot be read.
    pub key: String,
    /// The value as it stands; `None` where the key itself is wrong or missing.
    pub found: Option<String>,
    /// What is wrong, with the values allowed.
    pub what: String,
    /// What was probably meant.
    pub near: Option<String>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.origin)?;
        match (&self.found, self.key.is_empty()) {
            (Some(found), _) => write!(f, "{} = {found}: ", self.key)?,
            (None, false) => write!(f, "{}: ", self.key)?,
            (None, true) => {}
        }
        f.write_str(&self.what)?;
        match &self.near {
            Some(near) => write!(f, "; did you mean {near}?"),
            None => Ok(()),
        }
    }
}

/// The candidate nearest to a word, if it is near enough to have been meant: at most a third of its letters differ.
#[must_use]
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let word = word.to_lowercase();
    candidates
        .into_iter()
        .map(|c| (distance(&word, c), c))
        .filter(|(d, c)| *d <= (c.chars().count().max(word.chars().count()) / 3).max(1))
        .min()
        .map(|(_, c)| c.to_owned())
}

/// Letters to insert, drop, change, or exchange with their neighbour to make one word of the other (optimal string
/// alignment).
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows: Vec<Vec<usize>> = vec![(0..=b.len()).collect()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let change = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut least = change.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(rows[i - 2][j - 2] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_of_the_finger_are_near_and_other_words_are_not() {
        assert_eq!(distance("metric", "metirc"), 1);
        assert_eq!(distance("kitten", "sitting"), 3);
        let places = ["left_foot", "right_foot", "sacrum"];
        assert_eq!(nearest("left_shoe", places).as_deref(), Some("left_foot"));
        assert_eq!(nearest("sacrom", places).as_deref(), Some("sacrum"));
        assert_eq!(nearest("hat", places), None);
    }
}
